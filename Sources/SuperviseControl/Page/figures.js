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

/** The runs of a pool with a schedule. */
function runsText({schedule, running, queued, next_in_seconds: next, last, outcomes, skipped}) {
    const parts = [running ? 'running' : 'idle'];
    if (queued) parts.push('one run waits');
    if (next !== undefined) parts.push(`next in ${secondsText(next)}`);
    if (last) {
        parts.push(`last: ${last.outcome}, took ${secondsText(last.duration_seconds)}, `
            + `${secondsText(last.ago_seconds)} ago`);
    }
    const counts = [...Object.entries(outcomes), ['skipped', skipped]]
        .filter(([, count]) => count > 0).map(([name, count]) => `${count} ${name}`);
    if (counts.length > 0) parts.push(`runs: ${counts.join(', ')}`);
    return `${schedule}: ${parts.join('; ')}`;
}

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

/** The result of the last reload: its text, and whether it is good, bad or pending. */
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
        ? '' : ` (started ${secondsText(reload.age_seconds)} ago)`;
    return [`Reload${generation}: ${outcome[0]}${ago}`, outcome[1]];
}
