import t from 'tap'
import { type BrokerRole, grants, rightsOf } from '../../../runtime/gateways/broker/grants.js'

const around = { tour: 'spring', box: 'left', homeAssistantPrefix: 'homeassistant' }
const roles = Object.keys(grants).filter((role): role is BrokerRole => role in grants)

const may = (role: BrokerRole, user: string) => rightsOf(role, user, around)

t.test('who may publish what', async t => {
  for (const [role, user, topic, isAllowed] of [
    ['view', 'v', 'vb/spring/left/cue', false],
    ['operate', 'o', 'vb/spring/left/cue', true],
    ['operate', 'o', 'vb/spring/all/cue', true],
    ['operate', 'o', 'vb/spring/right/cue', false],
    ['operate', 'o', 'vb/spring/left/print', true],
    ['operate', 'o', 'vb/spring/left/print/decide', true],
    ['operate', 'o', 'vb/spring/right/print', false],
    ['view', 'v', 'vb/spring/left/print', false],
    ['hub', 'hub', 'vb/spring/right/print', true],
    ['operate', 'o', 'vb/spring/left/lamp/set', true],
    ['operate', 'o', 'vb/spring/left/lamp/state', false],
    ['operate', 'o', 'vb/spring/left/availability', false],
    ['driver', 'lamp', 'wled/lamp/state', true],
    ['driver', 'lamp', 'lamp/state', true],
    ['driver', 'lamp', 'wled/other/state', false],
    ['driver', 'lamp', 'vb/lamp/x', false],
    ['driver', 'spring', 'vb/spring/left/cue', false],
    ['driver', 'vb', 'vb/spring/left/cue', false],
    ['driver', 'lamp', 'homeassistant/lamp/x', false],
    ['driver', 'lamp', 'vb/spring/left/gadget/lamp/x', true],
    ['driver', '+', 'a/b/c', false],
    ['driver', '#', 'a/b/c', false],
    ['box', 'right', 'vb/spring/right/lamp/state', true],
    ['box', 'right', 'vb/spring/left/lamp/state', false],
    ['box', 'left', 'vb/spring/left/lamp/state', false],
    ['hub', 'hub', 'vb/spring/right/cue', true],
    ['hub', 'hub', 'vb/spring/left/lamp/state', false],
    ['hub', 'hub', 'vb/summer/left/cue', false],
  ] as const)
    t.equal(may(role, user).mayPublish(topic), isAllowed, `${role} ${user} ${topic}`)
})

t.test('who may subscribe to what', async t => {
  for (const [role, user, filter, isAllowed] of [
    ['view', 'v', 'vb/spring/#', true],
    ['view', 'v', 'vb/spring/+/+/state', true],
    ['view', 'v', 'vb/#', false],
    ['view', 'v', '#', false],
    ['view', 'v', '+/spring/#', false],
    ['view', 'v', '$SYS/broker/#', true],
    ['view', 'v', '$SYS/#', false],
    ['driver', 'lamp', '#', false],
    ['driver', 'lamp', '+/lamp/#', false],
    ['driver', 'lamp', 'wled/lamp/#', true],
    ['driver', 'lamp', 'vb/lamp/#', false],
    ['driver', 'lamp', 'vb/spring/#', false],
    ['driver', 'lamp', 'vb/spring/left/refused', true],
    ['box', 'right', 'vb/spring/left/#', true],
  ] as const)
    t.equal(may(role, user).maySubscribe(filter), isAllowed, `${role} ${user} ${filter}`)
})

t.test('who was refused can be told what is allowed', async t => {
  t.same(may('view', 'v').publishes, [])
  t.same(may('view', 'v').subscribes, ['vb/spring/#', 'homeassistant/#', '$SYS/broker/#'])
  t.same(may('driver', 'lamp').publishes, ['lamp/#', '+/lamp/#', 'vb/spring/left/gadget/lamp/#'])
  for (const role of roles)
    for (const filter of may(role, 'lamp').subscribes)
      if (!filter.startsWith('+')) t.ok(may(role, 'lamp').maySubscribe(filter), `${role} ${filter}`)
})

t.test('nobody writes to $SYS or to what the box says of itself', async t => {
  for (const role of roles)
    for (const user of ['left', 'right', 'spring', 'all'])
      for (const topic of [
        '$SYS/broker/uptime',
        'vb/spring/left/availability',
        'vb/spring/left/show/state',
        'vb/spring/left/lamp/state',
        'vb/spring/left/refused',
      ])
        t.notOk(may(role, user).mayPublish(topic), `${role} ${user} ${topic}`)
})

t.test(
  'what may be subscribed to may be read, and a name that is a pattern has no rights',
  async t => {
    t.ok(may('view', 'v').mayRead('vb/spring/left/lamp/state'))
    t.notOk(may('driver', 'lamp').mayRead('vb/spring/left/lamp/state'))
    for (const user of ['+', '#', 'a/b', '', '$SYS'])
      for (const role of roles)
        t.notOk(may(role, user).mayRead('vb/spring/left/availability'), user)
  },
)
