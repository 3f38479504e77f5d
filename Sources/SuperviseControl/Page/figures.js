/* Formats figures and states like `supervise status`. */

const brief = number => number < 9.95 ? number.toFixed(1) : String(Math.round(number));

function bytesText(bytes) {
    if (bytes === undefined || bytes === null) return '';
    const units = [['T', 2 ** 40], ['G', 2 ** 30], ['M', 2 ** 20], ['K', 1024]];
    for (const [letter, size] of units) {
        if (bytes >= size) return brief(bytes / size) + letter;
    }
    return String(bytes);
}

/** Formats a duration with its two largest units. */
function secondsText(seconds) {
    if (seconds === undefined || seconds === null) return '';
    if (seconds < 1) return Math.round(Math.max(0, seconds) * 1000) + 'ms';
    if (seconds < 9.95) return seconds.toFixed(1) + 's';
    const total = Math.floor(seconds);
    const parts = [
        [Math.floor(total / 86400), 'd'], [Math.floor(total / 3600) % 24, 'h'],
        [Math.floor(total / 60) % 60, 'm'], [total % 60, 's'],
    ];
    const first = parts.findIndex(([count]) => count > 0);
    return parts.slice(first, first + 2).filter(([count]) => count > 0)
        .map(([count, unit]) => count + unit).join(' ');
}

const countText = count => count === undefined ? '' : count.toLocaleString('en');

/** The unit of the counts in these rows: one unit, or both. */
function unitOf(rows) {
    const units = new Set(rows.map(row => row.requests_unit).filter(unit => unit));
    return units.size ? [...units].sort().reverse().join('/') : 'requests';
}

/** The oldest request in flight, its age, and the number of others. */
function requestText({route, age_seconds: age, count}) {
    const others = count > 1 ? ` (+${count - 1})` : '';
    return `${route ?? 'a request'} ${secondsText(age)}${others}`;
}

/** The state of a worker or of an empty slot: its text and its CSS class. */
function stateOf(entry) {
    switch (entry.state) {
    case 'ready': return [entry.due ? `ready, due: ${entry.due}` : 'ready', 'ready'];
    case 'starting': case 'booting': return [entry.state, 'booting'];
    case 'draining': return [`draining: ${entry.cause}`, 'leaving'];
    case 'retiring': return [`retiring: ${entry.cause}`, 'leaving'];
    case 'backoff':
        return [`failed ${entry.failures}×, next in ${secondsText(entry.starts_in_seconds)}`,
            'failing'];
    case 'failed': return ['failed', 'failing'];
    case 'scheduled': return ['until the next run', ''];
    case 'waiting': return ['waiting for the budget', 'booting'];
    case 'stopping-orphans': return ['stopping orphans', 'leaving'];
    default: return [entry.state, ''];
    }
}

/** A process from which workers are forked. */
function moldText(mold) {
    const facts = [mold.state, `generation ${mold.generation}`,
        mold.pid === undefined ? '' : `pid ${mold.pid}`, bytesText(mold.memory_bytes)];
    return `mold: ${facts.filter(fact => fact).join(', ')}`;
}

/** The growth of a worker's memory per hour, and the time until it reaches its cap. */
function growthText({growth_bytes_per_hour: growth, memory_limit_in_seconds: rest}) {
    if (growth === undefined) return '';
    return `${changeOfBytes(growth)}/h`
        + (rest === undefined ? '' : ` · ${briefSeconds(rest)}`);
}

function growthTitle({growth_bytes_per_request: growth, requests_unit: unit}) {
    return growth === undefined ? ''
        : `${changeOfBytes(growth)} per ${(unit ?? 'requests').slice(0, -1)}`;
}

/** A number of bytes with its sign. */
function changeOfBytes(bytes) {
    const whole = Math.round(bytes);
    return (whole > 0 ? '+' : whole < 0 ? '−' : '') + bytesText(Math.abs(whole));
}

/** The growth of the workers of a pool: the median, and the first that reaches its cap. */
function poolGrowthText({slots}) {
    const middle = name => {
        const values = slots.map(slot => slot[name]).filter(value => value !== undefined)
            .sort((one, other) => one - other);
        return values[Math.floor((values.length - 1) / 2)];
    };
    const perHour = middle('growth_bytes_per_hour');
    if (perHour === undefined) return '';
    const perRequest = middle('growth_bytes_per_request');
    const next = slots.filter(slot => slot.memory_limit_in_seconds !== undefined).reduce(
        (one, other) => one?.memory_limit_in_seconds <= other.memory_limit_in_seconds
            ? one : other, null);
    return `Median growth ${changeOfBytes(perHour)}/h`
        + (perRequest === undefined ? '' : `, ${changeOfBytes(perRequest)} per request`)
        + (next ? `; slot ${next.slot} reaches its cap in `
            + briefSeconds(next.memory_limit_in_seconds) : '');
}

/** A duration with its largest unit. */
const briefSeconds = seconds => secondsText(seconds).split(' ')[0];

/** The exit status or signal. */
const endText = exit => exit.signal !== undefined ? exit.signal : `status ${exit.status}`;

/** Describes an incarnation, for the readout below the lanes. */
function lifeText(life, now, clock) {
    const parts = [`slot ${life.slot}`, `pid ${life.pid ?? '?'}`,
        `generation ${life.generation}`, `started ${clock(life.start)}`];
    if (life.ready !== null) {
        parts.push(`ready after ${secondsText(life.ready - life.start)}`);
    }
    if (life.end !== null) {
        parts.push(`exited ${clock(life.end)} after ${secondsText(life.end - life.start)}`);
        if (life.exit) parts.push(`${life.exit.cause}, ${endText(life.exit)}`);
    } else {
        parts.push(`running for ${secondsText(now - life.start)}`);
    }
    parts.push(`${countText(life.requests)} ${life.unit ?? 'requests'}`);
    if (life.bytes !== undefined) parts.push(bytesText(life.bytes));
    return parts.join(' · ');
}

/** The result of the last reload: its text, its kind (good, bad or busy), and its start. */
function reloadText(reload) {
    const progress = `${reload.replaced} of ${reload.of} replaced`;
    const generation = reload.generation === undefined
        ? '' : ` to generation ${reload.generation}`;
    const reasons = (reload.reasons ?? []).join('; ');
    const outcome = {
        canary: ['waiting for the canaries', 'busy'],
        rolling: [progress, 'busy'],
        stalled: [`stalled, ${progress}; new workers fail repeatedly`, 'bad'],
        complete: [`complete in ${secondsText(reload.took_seconds)}`, 'good'],
        aborted: [`aborted; the previous generation keeps running. ${reasons}`, 'bad'],
        failed: [`failed; the previous configuration stays in force. ${reasons}`, 'bad'],
    }[reload.state] ?? [reload.state, ''];
    const ago = reload.age_seconds === undefined
        ? '' : `(started ${secondsText(reload.age_seconds)} ago)`;
    return [`Reload${generation}: ${outcome[0]}`, outcome[1], ago];
}
