/* The elements of the page. Text is inserted only as text, never as markup. */

/** The number of lanes that a pool shows at a time. */
const maxLanes = 24;
/** The number of exits listed. */
const maxExits = 8;

const byID = id => document.getElementById(id);

/** Updates a text only if it changed, which avoids a new layout. */
function write(element, text, className) {
    if (element.textContent !== text) element.textContent = text;
    if (className !== undefined && element.className !== className) {
        element.className = className;
    }
}

/** The view of one pool. */
class PoolView {
    static count = 0;
    history = new PoolHistory();
    lanes = [];
    first = 0;                  // index of the first slot shown
    columns = 1;                // of the overview
    isVisible = true;
    pointed = null;             // the incarnation at the pointer
    filter = null;              // selects workers; null selects all

    constructor(name) {
        this.element = byID('pool-pattern').content.firstElementChild.cloneNode(true);
        this.element.dataset.pool = name;
        this.name = name;
        write(this.find('h2'), name);
        this.find('h2').id = `pool-${PoolView.count += 1}`;
        this.element.setAttribute('aria-labelledby', this.find('h2').id);
        this.find('.lanes').setAttribute('aria-label', `Workers of pool ${name}`);
        this.charts = new PoolCharts(this.element);
        this.find('.back').onclick = () => this.show(this.first - maxLanes);
        this.find('.on').onclick = () => this.show(this.first + maxLanes);
        this.find('.overview').onclick = event => {
            const index = squareAt(event, this.columns);
            this.show(index - index % maxLanes);
        };
        new IntersectionObserver(([entry]) => {
            this.isVisible = entry.isIntersecting;
            this.draw();
        }).observe(this.element);
    }

    find(selector) { return this.element.querySelector(selector); }

    /** Shows the page of lanes that contains this one. */
    show(first) {
        const last = Math.floor((this.slots.length - 1) / maxLanes) * maxLanes;
        this.first = Math.max(0, Math.min(first, last));
        this.draw();
    }

    take(pool, now) {
        this.pool = pool;
        this.now = now;
        this.bySlot = Map.groupBy(pool.slots, entry => entry.slot);
        this.history.take(
            pool, now, slot => this.shownSlots?.has(slot) ?? slot < maxLanes);
    }

    /** Whether the pool lacks ready workers. Such pools come first. */
    get isUnready() { return !this.pool.ready && this.pool.state !== 'removed'; }

    /**
     * Selects the workers to show: all if the name of the pool contains the text. Returns the number
     * of workers that match.
     */
    select(text) {
        const isMatch = !text || this.name.toLowerCase().includes(text);
        const filter = isMatch ? null : text;
        if (filter !== this.filter) this.first = 0;
        this.filter = filter;
        const count = isMatch ? this.bySlot.size : this.slots.length;
        this.element.hidden = !isMatch && count === 0;
        return count;
    }

    /** Whether a slot has a worker that the filter selects. */
    isSelected(slot) {
        if (this.filter === null) return true;
        const facts = (this.bySlot.get(slot) ?? []).flatMap(entry => [
            entry.slot, entry.pid, stateOf(entry)[0], entry.status,
            entry.current && requestText(entry.current)]);
        return facts.some(fact => String(fact ?? '').toLowerCase().includes(this.filter));
    }

    /** The selected slots: the current ones, and those that existed in the time range. */
    get slots() {
        const recent = [...this.history.slots].filter(([slot, lives]) =>
            !this.bySlot.has(slot) && lives.at(-1).end > this.now - shownSeconds);
        return [...this.bySlot.keys(), ...recent.map(([slot]) => slot)]
            .filter(slot => this.isSelected(slot)).sort((one, other) => one - other);
    }

    draw() {
        if (!this.pool || !this.isVisible || this.element.hidden) return;
        const slots = this.slots;
        if (this.first >= slots.length) this.first = 0;
        const shown = slots.slice(this.first, this.first + maxLanes);
        this.shownSlots = new Set(shown);
        this.span = new Span(this.now, shownSeconds);
        this.drawHead();
        this.drawOverview(slots, shown);
        this.drawLanes(shown);
        this.charts.draw(this.pool, this.history, this.span, shown, this.pointed);
        this.drawExits();
    }

    drawHead() {
        const {serving, workers, state, ready, listeners} = this.pool;
        const surplus = serving - workers;
        const extra = surplus > 0
            ? ` (+${surplus} replacement${surplus === 1 ? '' : 's'})` : '';
        const {min_workers: least, max_workers: most, scale_blocked: block} = this.pool;
        const bounds = most === undefined
            ? '' : ` (${least}..${most}${block ? `, more blocked by ${block}` : ''})`;
        write(this.find('.pool-state'),
            `${countText(Math.min(serving, workers))} of ${countText(workers)} ready${extra}${bounds}`
            + (state === 'running' ? '' : `, ${state}`),
            'pool-state' + (ready ? '' : ' bad'));
        const addresses = listeners.map(({address, queue}) =>
            address + (queue ? ` (${countText(queue)} waiting)` : ''));
        write(this.find('.listeners'), addresses.join(', '));
        const molds = this.pool.molds ?? [];
        this.find('.molds').hidden = !molds.length;
        write(this.find('.molds'), molds.map(moldText).join('; '));
    }

    drawOverview(slots, shown) {
        this.find('.crowd').hidden = slots.length <= maxLanes;
        if (slots.length <= maxLanes) return;
        write(this.find('.shown'), `Lanes and memory of slots ${shown[0]} to `
            + `${shown.at(-1)}, of ${countText(slots.length)} slots; `
            + 'to select others, click a square. Memory is recorded once a lane is shown.');
        this.find('.back').disabled = this.first === 0;
        this.find('.on').disabled = this.first + maxLanes >= slots.length;
        const states = slots.map(slot =>
            this.bySlot.has(slot) ? stateOf(this.bySlot.get(slot)[0])[1] : '');
        this.columns = drawOverview(this.find('.overview'), states,
            index => index >= this.first && index < this.first + maxLanes);
        const counts = new Map();
        for (const state of states) counts.set(state, (counts.get(state) ?? 0) + 1);
        this.find('.overview').setAttribute('aria-label', `${slots.length} slots: `
            + [...counts].map(([state, count]) => `${count} ${state || 'empty'}`).join(', '));
    }

    drawLanes(shown) {
        while (this.lanes.length < shown.length) this.addLane();
        this.lanes.forEach((lane, index) => {
            lane.element.hidden = index >= shown.length;
            if (index < shown.length) this.drawLane(lane, shown[index]);
        });
        drawAxis(this.find('.head .track'), this.span);
        // The column is narrow.
        write(this.find('.head .requests'),
            unitOf(this.pool.slots).replace('connections', 'conns'));
    }

    addLane() {
        const element = byID('lane-pattern').content.firstElementChild.cloneNode(true);
        const lane = {element, lives: []};
        for (const cell of element.children) lane[cell.classList[0]] = cell;
        const point = event => {
            this.pointed = lifeAt(lane.track, event, lane.lives, this.span);
            this.drawPointed();
        };
        lane.track.onpointermove = lane.track.onpointerdown = point;
        lane.track.onpointerleave = () => {
            this.pointed = null;
            this.drawPointed();
        };
        this.lanes.push(lane);
        this.find('.lanes').append(element);
    }

    /** Describes the incarnation at the pointer, and highlights its memory. */
    drawPointed() {
        const life = this.pointed;
        write(this.find('.readout'), life ? lifeText(life, this.now, clockText) : '');
        this.charts.drawMemory([...this.shownSlots], life);
    }

    drawLane(lane, slot) {
        const all = this.bySlot.get(slot) ?? [];
        // The incumbent comes first, then its replacement and retiring workers.
        const [entry, ...others] = all;
        const [words, kind] = entry ? stateOf(entry) : ['removed', ''];
        const beside = others.map(other => `, ${other.pid ?? '?'} ${stateOf(other)[0]}`);
        lane.lives = this.history.slots.get(slot) ?? [];
        lane.element.dataset.slot = slot;
        lane.element.dataset.state = entry?.state ?? 'gone';
        write(lane.slot, String(slot));
        write(lane.pid, entry?.pid === undefined ? '' : String(entry.pid));
        const now = entry?.current ? `, ${requestText(entry.current)}` : '';
        const text = words + now + beside.join('');
        write(lane.state, text, `state ${kind}`);
        lane.state.title = [text, entry?.status ?? ''].join('\n').trim();
        write(lane.age, secondsText(entry?.age_seconds));
        write(lane.requests, countText(entry?.requests));
        write(lane.leak, entry ? growthText(entry) : '');
        lane.leak.title = entry ? growthTitle(entry) : '';
        const cap = entry?.memory_limit_bytes;
        const share = cap ? ` / ${bytesText(cap)}` : '';
        write(lane.memory, bytesText(entry?.memory_bytes) + share);
        lane.memory.title = entry?.own_bytes === undefined ? ''
            : `own ${bytesText(entry.own_bytes)}, shared ${bytesText(entry.shared_bytes)}`;
        drawLane(lane.track, lane.lives, this.span);
    }

    drawExits() {
        const counts = Object.entries(this.pool.totals.exits);
        const parts = counts.map(([cause, count]) => `${countText(count)} ${cause}`);
        write(this.find('.totals'), parts.join(', ') || 'none yet');
        const exits = this.pool.exits.slice(0, maxExits);
        this.find('.exits table').hidden = !exits.length;
        write(this.find('.exit-unit'), unitOf(exits));
        fillRows(this.find('.exits tbody'), exits.map(exit => {
            const isBad = kindOfEnd(exit.cause) === 'crash';
            return [
                timeCell(this.now - exit.ago_seconds), [String(exit.slot)],
                [String(exit.pid ?? '')], [exit.cause, isBad ? 'start bad' : 'start'],
                [endText(exit), 'start'], [secondsText(exit.age_seconds), 'optional'],
                [countText(exit.requests), 'optional'], [bytesText(exit.memory_bytes)],
                [String(exit.generation), 'optional'],
            ];
        }));
        writeOutput(this.find('.final'), exits);
    }
}

/** Shows the final output of the newest of these exits that has one. */
function writeOutput(element, exits) {
    const failed = exits.find(exit => exit.output);
    element.hidden = !failed;
    if (!failed) return;
    const source = failed.job === undefined ? `slot ${failed.slot}` : `job ${failed.job}`;
    const title = `Final output of ${source}, pid ${failed.pid ?? '?'}:`;
    write(element, `${title}\n${failed.output.join('\n')}`);
}

/** Writes the rows of a table. A cell is [text, class, title]. */
function fillRows(body, rows) {
    while (body.rows.length > rows.length) body.deleteRow(-1);
    rows.forEach((cells, index) => {
        const row = body.rows[index] ?? body.insertRow();
        cells.forEach(([text, className = '', title = ''], column) => {
            const cell = row.cells[column] ?? row.insertCell();
            write(cell, text, className);
            if (cell.title !== title) cell.title = title;
        });
    });
}

/** A cell with a time of the master, whose title is exact. */
const timeCell = seconds => [clockText(seconds), 'start', exactText(seconds)];
