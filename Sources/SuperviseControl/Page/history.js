/* The history of the page: builds incarnations and series from successive samples of `/status`,
   and from what the master has recorded (`/history`). */

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

/**
 * The longest time in seconds between two points that are connected. The master records every five
 * seconds while it runs anyway, and its samples of memory are at most ten seconds apart by default.
 */
const longestGap = 30;

/** The history of one pool. */
class PoolHistory {
    slots = new Map();          // slot -> its incarnations, the oldest first
    series = [];                // points: see `measure`
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
        const known = pool.slots.map(slot => slot.memory_bytes).filter(bytes => bytes);
        const queues = pool.listeners.map(listener => listener.queue)
            .filter(queue => queue !== undefined);
        const point = {
            at: now, requests: pool.totals.requests, ready: pool.serving, workers: pool.workers,
            exits: Object.values(pool.totals.exits).reduce((sum, count) => sum + count, 0),
            queue: queues.length ? queues.reduce((sum, queue) => sum + queue, 0) : null,
            bytes: known.length ? known.reduce((sum, bytes) => sum + bytes, 0) : null,
            largest: known.length ? Math.max(...known) : null,
        };
        point.rate = rateAt(point, this.series.findLast(({requests}) => requests !== null));
        this.series.push(point);
    }

    /** Adds what the master recorded while this page took no samples. */
    fill(recorded) {
        const own = this.series.filter(point => !point.isRecorded).map(({at}) => at);
        let next = 0;
        const points = recorded.at_seconds.map((at, index) => ({
            at, isRecorded: true, rate: null, requests: recorded.requests[index],
            ready: recorded.ready[index], workers: recorded.workers[index],
            exits: recorded.exits[index], queue: recorded.waiting[index],
            bytes: recorded.memory_bytes[index], largest: recorded.largest_bytes[index],
        })).filter(({at}) => {
            while (next < own.length && own[next] < at - 2) next++;
            return !(own[next] <= at + 2);
        });
        const since = points[0]?.at ?? Infinity;
        this.series = [
            ...this.series.filter(point => !point.isRecorded || point.at < since), ...points,
        ].sort((one, other) => one.at - other.at);
        let last = null;
        for (const point of this.series) {
            if (point.requests === null) continue;
            point.rate = rateAt(point, last);
            last = point;
        }
    }

    /** The points of one figure as [time, value]; null interrupts the line. */
    path(name) {
        const path = [];
        for (const point of this.series) {
            const value = point[name];
            if (value === null) continue;
            const last = path.at(-1);
            if (last && point.at - last[0] > longestGap) path.push([last[0], null]);
            path.push([point.at, value]);
        }
        return path;
    }
}

/** The requests per second since the last point with a count. */
function rateAt(point, last) {
    const span = point.at - (last?.at ?? -Infinity);
    return span > 0 && span <= longestGap
        ? Math.max(0, point.requests - last.requests) / span : null;
}

/** The times without data in a path, as [from, to]. The master did not run before `from`. */
function gapsOf(path, from, now) {
    const times = [from, ...path.filter(([, value]) => value !== null).map(([at]) => at)
        .filter(at => at > from), now];
    const gaps = [];
    times.forEach((at, index) => {
        if (index && at - times[index - 1] > longestGap) gaps.push([times[index - 1], at]);
    });
    return gaps;
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
