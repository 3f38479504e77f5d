/* What the page remembers: `/status` is a moment; lives and series are put together from many. */

'use strict';

/** For how many seconds things are remembered, and how many lives of a slot at most. */
const longestMemory = 3600, mostLives = 200;

/**
 * The life of one worker, in seconds since the master started: that is the one clock in
 * which both ages and uptime are told, whatever the browser's own clock says.
 */
class Life {
    constructor(told, start) {
        this.slot = told.slot;
        this.incarnation = told.incarnation;
        this.start = start;
        this.ready = null;      // when it was ready
        this.leaves = null;     // when it was first seen to retire
        this.end = null;        // when it was gone
        this.memory = [];       // [time, bytes], as long as its slot is on the screen
        this.learn(told);
    }

    learn(told) {
        this.pid = told.pid ?? this.pid;
        this.generation = told.generation;
        this.requests = told.requests;
        this.unit = told.requests_unit ?? this.unit;
        this.bytes = told.memory_bytes ?? this.bytes;
        this.cause = told.cause ?? this.cause;
        if (told.boot_seconds !== undefined) this.ready = this.start + told.boot_seconds;
    }

    sample(now) {
        if (this.bytes !== undefined) this.memory.push([now, this.bytes]);
    }

    finish(exit, at) {
        this.learn(exit);
        this.end = at;
        this.exit = exit;
        if (this.bytes !== undefined) this.memory.push([at, this.bytes]);
    }
}

/** What was seen of one pool. */
class PoolHistory {
    slots = new Map();          // slot -> its lives, the oldest first
    series = [];                // {at, rate, queue, bytes}
    seenAt = null;              // when the last status was taken

    /** Takes a status in; the memory of workers is kept for slots that `isShown`. */
    take(pool, now, isShown) {
        const alive = new Set();
        for (const exit of [...pool.exits].reverse()) {
            const at = now - exit.ago_seconds;
            const life = this.life(exit, at - exit.age_seconds);
            if (life.end === null) life.finish(exit, at);
        }
        for (const told of pool.slots) {
            if (told.incarnation === undefined) continue;
            const life = this.life(told, now - told.age_seconds);
            life.learn(told);
            if (['draining', 'retiring', 'left-processes'].includes(told.state)) {
                life.leaves ??= now;
            }
            if (isShown(told.slot)) life.sample(now);
            alive.add(life);
        }
        this.forget(now, alive);
        this.measure(pool, now);
        this.seenAt = now;
    }

    /** The life that a worker or an exit is about, which may be new. */
    life(told, start) {
        let lives = this.slots.get(told.slot);
        if (!lives) this.slots.set(told.slot, lives = []);
        let life = lives.findLast(life => life.incarnation === told.incarnation);
        if (!life) {
            life = new Life(told, start);
            life.isLower = freeHalf(lives, start);
            lives.push(life);
            // Exits come before the living, but what was older may be told later.
            lives.sort((one, other) => one.incarnation - other.incarnation);
            if (lives.length > mostLives) lives.shift();
        }
        return life;
    }

    /** Drops what is too long ago, and ends those whose exit the ledger no longer told. */
    forget(now, alive) {
        for (const [slot, lives] of this.slots) {
            for (const life of lives) {
                if (life.end === null && !alive.has(life)) life.end = this.seenAt ?? now;
                while (life.memory.length && life.memory[0][0] < now - longestMemory) {
                    life.memory.shift();
                }
            }
            while (lives.length && lives[0].end !== null
                && lives[0].end < now - longestMemory) lives.shift();
            if (!lives.length) this.slots.delete(slot);
        }
        while (this.series.length && this.series[0].at < now - longestMemory) {
            this.series.shift();
        }
    }

    /** Adds the pool's figures of this moment. */
    measure(pool, now) {
        const total = pool.totals.requests;
        const span = now - this.seenAt;
        const rate = this.seenAt === null || span <= 0
            ? null : Math.max(0, total - this.total) / span;
        this.total = total;
        const deepest = fullest(pool.listeners);
        const bytes = pool.slots.reduce((sum, slot) => sum + (slot.memory_bytes ?? 0), 0);
        this.series.push({at: now, rate, queue: deepest?.queue ?? null, bytes});
    }
}

/** In which half of its lane a life is drawn: the one that is free, else by turns. */
function freeHalf(lives, start) {
    const taken = lives.filter(life => (life.end ?? Infinity) > start)
        .map(life => life.isLower);
    if (taken.includes(true) !== taken.includes(false)) return taken.includes(false);
    return !(lives.at(-1)?.isLower ?? true);
}

/** The listener whose accept queue is the closest to its limit. */
function fullest(listeners) {
    const share = listener => listener.queue / (listener.queue_limit || 1);
    return listeners.filter(listener => listener.queue !== undefined)
        .reduce((most, one) => most && share(most) >= share(one) ? most : one, null);
}

/** What kind of end a cause is: each kind has its mark. */
function kindOfEnd(cause) {
    switch (cause) {
    case 'reload': return 'reload';
    case 'max-requests': case 'max-lifetime': case 'max-rss': case 'max-pool-rss':
    case 'memory-pressure': case 'requested': case 'operator': return 'recycle';
    case 'crashed': case 'boot-failed': case 'out-of-memory': case 'kill-rss':
    case 'timeout': case 'stall-timeout': case 'boot-timeout': return 'crash';
    default: return 'other';
    }
}
