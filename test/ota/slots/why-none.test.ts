import t from 'tap'
import { whyUnreadable } from '../../../ota/slots/why-none.js'
import { BoxError } from '../../../runtime/core/errors.js'

t.test('slots that nobody may read are told apart from slots that are not whole', async t => {
  const denied = (name: string) => ({
    read: async (asked: string) => {
      if (asked === name) throw new BoxError('storage.io', `${name} cannot be read: EACCES`)
      return null
    },
  })
  t.equal(await whyUnreadable({ read: async () => null }), null, 'an empty card can be read')
  for (const name of ['slots/state.0', 'slots/a/manifest', 'slots/b/manifest'])
    t.equal(await whyUnreadable(denied(name)), `${name} cannot be read: EACCES`)
})
