/**
 * What pm2 runs: the box, restarted when it ends, with growing pauses when it keeps ending.
 * pm2 is a program of its own here: started by `npm run pm2`, never imported.
 */
const { join } = require('node:path')

module.exports = {
  apps: [
    {
      name: 'box',
      script: join(__dirname, '..', 'dist', 'program', 'main.js'),
      args: process.env.ROADCASE_ARGUMENTS ?? '',
      // A small young generation: a few megabytes less, and shorter pauses. The threads that fire choose themselves when
      // they collect garbage.
      node_args: '--max-semi-space-size=1 --expose-gc',
      // The box says when it is ready, so that a restart counts as one only then.
      wait_ready: true,
      listen_timeout: 30_000,
      kill_timeout: 15_000,
      exp_backoff_restart_delay: 200,
      // Only the box itself is signalled: its guard must outlive it by a moment, and ends by itself.
      treekill: false,
      max_memory_restart: '400M',
      merge_logs: true,
      time: false,
    },
  ],
}
