// Measures the requests of a hunted worker (supervise help hunt). Node loads it with --require of NODE_OPTIONS.
// It removes what the hunt added to the environment. At the head of each request it collects garbage and writes
// the bytes in use to the record of the hunt; supervise_page.h defines the layout.
'use strict';

(() => {
  if (!require('worker_threads').isMainThread) return;
  const env = process.env;
  const prefix = 'SUPERVISE_HUNT_';
  for (const name of (env[prefix + 'NAMES'] || '').split(',').filter(Boolean)) {
    const own = env[prefix + 'OWN_' + name];
    if (own === undefined) delete env[name];
    else env[name] = own;
    delete env[prefix + 'OWN_' + name];
  }
  delete env[prefix + 'NAMES'];
  delete env[prefix + 'TRACE'];

  const fs = require('fs');
  const v8 = require('v8');
  const descriptor = Number(env.SUPERVISE_WORKER_PAGE);
  const layout = {head: 4096 * 7, count: 64, runtimes: 68, rows: 128 + 2 * 64 * 4096, row: 120};
  const read = (offset, size) => {
    const bytes = Buffer.alloc(size);
    return fs.readSync(descriptor, bytes, 0, size, offset) === size ? bytes : null;
  };
  const head = (() => {
    try {
      const page = read(0, 48);
      const isOurs = page && page.toString('latin1', 0, 8) === 'SUPERVIS'
        && page.toString('latin1', 16, 48) === env.SUPERVISE_WORKER_ID;
      return isOurs ? read(layout.head, 8) : null;
    } catch (error) {
      return null;
    }
  })();
  if (!head || head.readUInt32LE(0) !== 1) return;

  v8.setFlagsFromString('--expose-gc');
  const collect = require('vm').runInNewContext('gc');
  v8.setFlagsFromString('--no-expose-gc');
  const written = Buffer.alloc(8);
  const runtimes = read(layout.head + layout.runtimes, 4);
  runtimes.writeUInt32LE(runtimes.readUInt32LE(0) | 2);
  fs.writeSync(descriptor, runtimes, 0, 4, layout.head + layout.runtimes);

  const measure = () => {
    const index = read(layout.head + layout.count, 4).readUInt32LE(0) - 1;
    if (index < 0) return;
    const row = layout.head + layout.rows + index * layout.row;
    // The memory of buffers that the first collection finds is released by the second.
    collect();
    collect();
    const used = v8.getHeapStatistics();
    written.writeBigUInt64LE(BigInt(used.used_heap_size + used.external_memory));
    fs.writeSync(descriptor, written, 0, 8, row + 16);
    const flags = read(row, 4);
    flags.writeUInt32LE(flags.readUInt32LE(0) | 4);
    fs.writeSync(descriptor, flags, 0, 4, row);
  };

  const http = require('http');
  const emit = http.Server.prototype.emit;
  http.Server.prototype.emit = function (event, ...rest) {
    if (event === 'request' || event === 'checkContinue' || event === 'upgrade') {
      try {
        measure();
      } catch (error) {
        // The program must not notice.
      }
    }
    return emit.call(this, event, ...rest);
  };
})();
