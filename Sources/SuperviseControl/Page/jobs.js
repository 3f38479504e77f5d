/* The table of pools with a schedule. Their runs serve no requests. */

/** The row of one job. */
class JobView {
    history = new PoolHistory();

    constructor(name) {
        this.element = byID('job-pattern').content.firstElementChild.cloneNode(true);
        this.element.dataset.pool = name;
        this.name = name;
        write(this.find('.job'), name);
        byID('jobs').querySelector('tbody').append(this.element);
    }

    find(selector) { return this.element.querySelector(selector); }

    take(pool, now) {
        this.pool = pool;
        this.now = now;
        this.history.take(pool, now, () => true);
    }

    get isUnready() { return false; }

    /** Shows the job if the filter selects it; returns the number of its runs in progress. */
    select(text) {
        const facts = [this.name, this.pool.runs.schedule, this.state];
        this.element.hidden =
            text !== '' && !facts.some(fact => fact.toLowerCase().includes(text));
        return this.element.hidden ? 0 : this.pool.live;
    }

    get state() {
        const {running, queued} = this.pool.runs;
        return (running ? 'running' : 'idle') + (queued ? ', one run waits' : '')
            + (this.pool.state === 'running' ? '' : `, ${this.pool.state}`);
    }

    draw() {
        if (!this.pool || this.element.hidden) return;
        const {runs, slots} = this.pool;
        const last = runs.last;
        write(this.find('.schedule'), runs.schedule);
        write(this.find('.state'), this.state, `start state ${runs.running ? 'ready' : ''}`);
        this.writeTime('.next', runs.next_in_seconds, 1);
        this.writeTime('.last', last?.ago_seconds, -1);
        write(this.find('.took'), secondsText(last?.duration_seconds));
        const isBad = last && !['success', 'stopped'].includes(last.outcome);
        const counts = [...Object.entries(runs.outcomes), ['skipped', runs.skipped]]
            .filter(([, count]) => count > 0).map(([name, count]) => `${countText(count)} ${name}`);
        write(this.find('.outcomes'),
            (last ? `last: ${last.outcome}; ` : '') + counts.join(', '),
            isBad ? 'start outcomes bad' : 'start outcomes');
        write(this.find('.memory'), bytesText(slots.find(slot => slot.memory_bytes)?.memory_bytes));
        const lives = [...this.history.slots.values()].flat();
        drawLane(this.find('canvas'), lives, new Span(this.now, shownSeconds));
    }

    /** Shows a time that is this many seconds from now, later or earlier. */
    writeTime(selector, seconds, sign) {
        const cell = this.find(selector);
        if (seconds === undefined) return write(cell, '');
        const at = this.now + sign * seconds;
        const span = secondsText(seconds);
        write(cell, sign > 0 ? `in ${span}` : `${span} ago`);
        cell.title = exactText(at);
    }
}

/** Shows the table if there are jobs, and the output of a failed last run. */
function drawJobs(views) {
    const section = byID('jobs');
    section.hidden = !views.some(view => !view.element.hidden);
    const exits = views.filter(({element}) => !element.hidden).flatMap(({pool}) =>
        pool.exits.slice(0, 1).map(exit => ({...exit, job: pool.name})));
    writeOutput(section.querySelector('.final'), exits);
}
