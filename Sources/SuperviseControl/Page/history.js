/* The history of the page: builds incarnations and series from successive samples of `/status`. */

'use strict';

/** The length of the history in seconds, and the maximum number of incarnations per slot. */
const longestMemory = 3600, maxLives = 200;

/**
 * One incarnation of a worker, in seconds since the master started. Ages and the uptime refer to
 * this clock, independent of the clock of the browser.
 */
class Life {
    constructor(entry, start) {
        this.slot = entry.slot;
        this.incarnation = entry.incarnation;
        this.start = start;
        this.ready = null;      // when it was ready
        this.leaves = null;     // when it was first observed retiring
        this.end = null;        // when it exited
        this.memory = [];       // [time, bytes], while its slot is shown
        this.learn(entry);
    }

    learn(entry) {
        this.pid = entry.pid ?? this.pid;
        this.generation = entry.generation;
        this.requests = entry.requests;
        this.unit = entry.requests_unit ?? this.unit;
        this.bytes = entry.memory_bytes ?? this.bytes;
        this.cause = entry.cause ?? this.cause;
        if (entry.boot_seconds !== undefined) this.ready = this.start + entry.boot_seconds;
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

/** The history of one pool. */
class PoolHistory {
    slots = new Map();          // slot -> its incarnations, the oldest first
    series = [];                // {at, rate, queue, bytes}
    seenAt = null;              // when the last status was taken

    /** Adds a status; keeps the memory of workers only for slots that `isShown` selects. */
    take(pool, now, isShown) {
        const alive = new Set();
        for (const exit of [...pool.exits].reverse()) {
            const at = now - exit.ago_seconds;
            const life = this.life(exit, at - exit.age_seconds);
            if (life.end === null) life.finish(exit, at);
        }
        for (const entry of pool.slots) {
            if (entry.incarnation === undefined) continue;
            const life = this.life(entry, now - entry.age_seconds);
            life.learn(entry);
            if (['draining', 'retiring', 'stopping-orphans'].includes(entry.state)) {
                life.leaves ??= now;
            }
            if (isShown(entry.slot)) life.sample(now);
            alive.add(life);
        }
        this.forget(now, alive);
        this.measure(pool, now);
        this.seenAt = now;
    }

    /** Finds or creates the incarnation of a worker or an exit. */
    life(entry, start) {
        let lives = this.slots.get(entry.slot);
        if (!lives) this.slots.set(entry.slot, lives = []);
        let life = lives.findLast(life => life.incarnation === entry.incarnation);
        if (!life) {
            life = new Life(entry, start);
            life.isLower = freeHalf(lives, start);
            lives.push(life);
            // Exits come before running workers, but an older one may be reported later.
            lives.sort((one, other) => one.incarnation - other.incarnation);
            if (lives.length > maxLives) lives.shift();
        }
        return life;
    }

    /** Drops old history, and ends incarnations whose exit is no longer reported. */
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

    /** Adds the current figures of the pool. */
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

/** The half of the lane for an incarnation: the free one, otherwise alternating. */
function freeHalf(lives, start) {
    const taken = lives.filter(life => (life.end ?? Infinity) > start)
        .map(life => life.isLower);
    if (taken.includes(true) !== taken.includes(false)) return taken.includes(false);
    return !(lives.at(-1)?.isLower ?? true);
}

/** The listener whose accept queue is closest to its limit. */
function fullest(listeners) {
    const share = listener => listener.queue / (listener.queue_limit || 1);
    return listeners.filter(listener => listener.queue !== undefined)
        .reduce((most, one) => most && share(most) >= share(one) ? most : one, null);
}

/** The kind of exit for a cause; each kind has its own mark. */
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
