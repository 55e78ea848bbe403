/** What every store promises. One store for all of it, emptied before each test: opening one takes a second and more here. */
import type { Test } from 'tap'
import { BoxError } from '../../runtime/core/errors.js'
import type { Change, Store } from '../../runtime/ports/store.js'

const ALL = { from: '', before: null, limit: 10_000 } as const
const MEBIBYTE = 1024 * 1024

export function storeContract(t: Test, makeStore: () => Promise<Store> | Store): void {
  let store: Store | null = null
  const promise = (name: string, prove: (t: Test, store: Store) => Promise<void>): void =>
    void t.test(name, async t => {
      store ??= await makeStore()
      await store.commit([clear('', null), { ...clear('', null), table: 'other' }])
      await prove(t, store)
    })

  promise('what was put is read back, byte for byte', async (t, store) => {
    const every = Uint8Array.from({ length: 256 }, (_, byte) => byte)
    await store.commit([put('a', every), put('empty', new Uint8Array())])
    t.same(await store.read('t', 'a'), every)
    t.same(await store.read('t', 'empty'), new Uint8Array())
    t.equal(await store.read('t', 'b'), null)
  })

  promise(
    'a put replaces, a remove removes, and a second remove does no harm',
    async (t, store) => {
      await store.commit([put('a', 1)])
      await store.commit([put('a', 2)])
      t.same(await values(store), ['a=2'])
      await store.commit([remove('a')])
      await store.commit([remove('a')])
      t.same(await values(store), [])
    },
  )

  promise('the same key in two tables is two records', async (t, store) => {
    await store.commit([put('a', 1), { ...put('a', 2), table: 'other' }])
    await store.commit([{ kind: 'clear', table: 'other', from: '', before: null }])
    t.same(await values(store), ['a=1'])
    t.equal(await store.read('other', 'a'), null)
  })

  promise(
    'an insert of a key that is there is a conflict, and keeps what is there',
    async (t, store) => {
      await store.commit([insert('pass', 1)])
      await rejectsWith(t, store.commit([insert('pass', 2)]), 'storage.conflict')
      t.same(await values(store), ['pass=1'])
    },
  )

  promise(
    'a commit in conflict leaves nothing behind, wherever the conflict was',
    async (t, store) => {
      await store.commit([put('a', 1), insert('b', 1)])
      const commit = store.commit([
        put('a', 2),
        remove('b'),
        put('c', 2),
        insert('b', 2),
        insert('a', 3),
      ])
      await rejectsWith(t, commit, 'storage.conflict')
      t.same(await values(store), ['a=1', 'b=1'])
    },
  )

  promise('changes of one commit happen in order', async (t, store) => {
    await store.commit([put('a', 1), remove('a'), insert('a', 2), put('b', 1), clear('b', 'c')])
    t.same(await values(store), ['a=2'])
  })

  promise('of two inserts at the same time exactly one succeeds', async (t, store) => {
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, at) =>
        store.commit([insert('pass', at), put(`by-${at}`, at)]),
      ),
    )
    t.same(
      results.map(({ status }) => status),
      ['fulfilled', ...Array.from({ length: 19 }, () => 'rejected')],
    )
    t.same(await values(store), ['by-0=0', 'pass=0'])
  })

  promise('a commit in conflict does not undo those synced with it', async (t, store) => {
    await store.commit([insert('taken', 0)])
    const commits = [
      store.commit([insert('a', 1)]),
      rejectsWith(t, store.commit([put('x', 1), insert('taken', 1)]), 'storage.conflict'),
      store.commit([insert('b', 1)]),
      rejectsWith(t, store.commit([insert('a', 2)]), 'storage.conflict'),
      store.commit([put('c', 1)]),
    ]
    await Promise.all(commits)
    t.same(await values(store), ['a=1', 'b=1', 'c=1', 'taken=0'])
  })

  promise('commits and reads happen in the order they were asked for', async (t, store) => {
    const before = store.read('t', 'a')
    const first = store.commit([put('a', 1)])
    const between = store.read('t', 'a')
    const second = store.commit([put('a', 2)])
    const last = store.scan('t', ALL)
    await Promise.all([first, second])
    t.equal(await before, null)
    t.same(await between, Uint8Array.of(1))
    t.same(await last, [{ key: 'a', value: Uint8Array.of(2) }])
  })

  promise('a clear removes [from, before) and nothing else', async (t, store) => {
    await store.commit(['a', 'b', 'b1', 'c', 'd'].map(key => put(key, 0)))
    await store.commit([clear('b', 'c')])
    t.same(await keys(store), ['a', 'c', 'd'])
    await store.commit([clear('d', 'b'), clear('c', 'c')])
    t.same(await keys(store), ['a', 'c', 'd'])
    await store.commit([clear('c', null)])
    t.same(await keys(store), ['a'])
  })

  promise(
    'a scan is ordered by UTF-8 bytes, not by UTF-16 units or by language',
    async (t, store) => {
      const ordered = [
        '',
        '\0',
        'A',
        'B',
        'a',
        'a\0',
        'a\0b',
        'a\0c',
        'aa',
        'b',
        'é',
        '\uffee',
        '😀',
      ]
      await store.commit(ordered.toReversed().map(key => put(key, key.length)))
      t.same(await keys(store), ordered)
    },
  )

  promise('a byte order mark at the start of a key is a part of the key', async (t, store) => {
    await store.commit([put('\ufeffa', 1), put('a', 2)])
    t.same(await values(store), ['a=2', '\ufeffa=1'])
  })

  promise('a scan answers [from, before) and at most `limit` rows', async (t, store) => {
    await store.commit(['a', 'b', 'c', 'd'].map(key => put(key, 0)))
    t.same(await keys(store, { from: 'b', before: 'd', limit: 10 }), ['b', 'c'])
    t.same(await keys(store, { from: 'b', before: null, limit: 2 }), ['b', 'c'])
    t.same(await keys(store, { from: 'bb', before: 'c', limit: 2 }), [])
    t.same(await keys(store, { from: 'd', before: 'a', limit: 2 }), [])
    t.same(await keys(store, { from: 'a', before: null, limit: 1 }), ['a'])
    await store.commit([put('e', 0)])
    t.same(await keys(store), ['a', 'b', 'c', 'd', 'e'])
  })

  promise(
    'the caller may use its bytes again at once, and what it reads is its own',
    async (t, store) => {
      const bytes = Buffer.from('pooled bytes').subarray(0, 6)
      const commit = store.commit([put('a', bytes)])
      bytes.fill(0)
      await commit
      const read = await store.read('t', 'a')
      t.equal(Buffer.from(read ?? []).toString(), 'pooled')
      read?.fill(0)
      t.equal(Buffer.from((await store.read('t', 'a')) ?? []).toString(), 'pooled')
    },
  )

  promise('an empty commit is a commit', async (t, store) => {
    await store.commit([])
    t.same(await keys(store), [])
  })

  promise(
    '4096 changes and 16 MiB are taken; more is refused and changes nothing',
    async (t, store) => {
      const many = Array.from({ length: 4096 }, (_, at) => put(`k${at}`, at & 0xff))
      await rejectsWith(t, store.commit([...many, put('one-more', 1)]), 'storage.limit')
      await rejectsWith(
        t,
        store.commit([put('large', new Uint8Array(16 * MEBIBYTE))]),
        'storage.limit',
      )
      t.same(await keys(store), [])
      await store.commit(many)
      t.equal((await keys(store)).length, 4096)
      await store.commit([put('large', new Uint8Array(16 * MEBIBYTE - 5))])
      t.equal((await store.read('t', 'large'))?.length, 16 * MEBIBYTE - 5)
    },
  )

  promise('a key has at most 512 bytes of well-formed Unicode', async (t, store) => {
    const longest = 'é'.repeat(256)
    await store.commit([put(longest, 1)])
    t.same(await keys(store), [longest])
    for (const key of [`${longest}a`, 'a'.repeat(513), 'half a pair: \ud83d', '\ude00']) {
      await rejectsWith(t, store.commit([put(key, 1)]), 'storage.limit')
      await rejectsWith(t, store.commit([remove(key)]), 'storage.limit')
      await rejectsWith(t, store.read('t', key), 'storage.limit')
      await rejectsWith(t, store.scan('t', { ...ALL, from: key }), 'storage.limit')
    }
  })

  promise('a scan of 0 or 10001 rows is refused', async (t, store) => {
    await rejectsWith(t, store.scan('t', { ...ALL, limit: 0 }), 'storage.limit')
    await rejectsWith(t, store.scan('t', { ...ALL, limit: 10_001 }), 'storage.limit')
    await rejectsWith(t, store.scan('t', { ...ALL, limit: 1.5 }), 'storage.limit')
  })

  promise(
    'a scan that would not fit into memory is refused, and in parts it is answered',
    async (t, store) => {
      for (const key of ['a', 'b', 'c', 'd', 'e'])
        await store.commit([put(key, new Uint8Array(14 * MEBIBYTE))])
      await rejectsWith(t, store.scan('t', ALL), 'storage.limit')
      t.same(await keys(store, { ...ALL, limit: 4 }), ['a', 'b', 'c', 'd'])
    },
  )

  promise('a table that cannot be named is a bug', async (t, store) => {
    for (const table of ['', 'a\0b', 'x'.repeat(65)])
      await t.rejects(store.commit([{ ...put('a', 1), table }]), /assertion failed/)
  })
}

export const put = (key: string, value: number | Uint8Array): Change & { kind: 'put' } => ({
  kind: 'put',
  table: 't',
  key,
  value: typeof value === 'number' ? Uint8Array.of(value) : value,
})

export const insert = (key: string, value: number): Change => ({
  ...put(key, value),
  kind: 'insert',
})

export const remove = (key: string): Change => ({ kind: 'remove', table: 't', key })

const clear = (from: string, before: string | null): Change => ({
  kind: 'clear',
  table: 't',
  from,
  before,
})

export async function keys(
  store: Store,
  range: Parameters<Store['scan']>[1] = ALL,
): Promise<readonly string[]> {
  return (await store.scan('t', range)).map(({ key }) => key)
}

/** `key=first byte` of every record. */
export async function values(store: Store): Promise<readonly string[]> {
  return (await store.scan('t', ALL)).map(({ key, value }) => `${key}=${value[0]}`)
}

export async function rejectsWith(t: Test, work: Promise<unknown>, code: string): Promise<void> {
  const thrown: unknown = await work.then(
    () => null,
    (error: unknown) => error,
  )
  t.ok(thrown instanceof BoxError, `a BoxError, not ${String(thrown)}`)
  if (thrown instanceof BoxError) t.equal(thrown.code, code, thrown.message)
}
