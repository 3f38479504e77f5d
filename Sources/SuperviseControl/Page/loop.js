/* The loop that polls `/status`, and the head of the page. */

const views = new Map();        // pool -> its view
let shownSeconds = 120;
let master = null;              // from the last status
let lostAt = null;              // when it stopped responding
let filledAt = null;            // when its history was last read

/** The time of day of the master's start, in seconds since the Unix epoch, by its current clock. */
const startOfClock = () => master.time_seconds - master.uptime_seconds;

/** Formats a time of the master in local time. */
function clockText(seconds) {
    return new Date((startOfClock() + seconds) * 1000).toLocaleTimeString('en-GB');
}

/** Formats a time of the master with date, milliseconds and time zone. */
function exactText(seconds) {
    const date = new Date((startOfClock() + seconds) * 1000);
    const ago = master.uptime_seconds - seconds;
    const distance = ago < 0 ? `in ${secondsText(-ago)}` : `${secondsText(ago)} ago`;
    return `${date.toISOString()} (${distance})`;
}

/** The time of a text such as 2026-11-21T02:03:04.567Z, in seconds since the master's start. */
const uptimeOf = text => Date.parse(text) / 1000 - startOfClock();

/** Applies a status. */
function takeStatus(status) {
    if (status.schema !== 'supervise-status' || status.version !== 2) {
        throw new Error('the master has another version; reload this page');
    }
    const isAnother = master && (master.pid !== status.master.pid
        || master.started_at_seconds !== status.master.started_at_seconds);
    if (isAnother) {
        for (const view of views.values()) view.element.remove();
        views.clear();
        filledAt = null;
    }
    master = status.master;
    const now = master.uptime_seconds;
    // A removed pool may coexist with a new one of the same name.
    const keys = status.pools.map(keyOf);
    for (const [key, view] of views) {
        const index = keys.indexOf(key);
        if (index >= 0 && !status.pools[index].runs === !(view instanceof JobView)) continue;
        view.element.remove();
        views.delete(key);
    }
    status.pools.forEach((pool, index) => {
        if (!views.has(keys[index])) {
            views.set(keys[index], pool.runs ? new JobView(pool.name) : new PoolView(pool.name));
        }
        views.get(keys[index]).take(pool, now);
    });
    timeline.takeExits(status.pools, now);
    arrange(keys);
    drawReload(status.reload);
}

const keyOf = ({name, state, removed}) => state === 'removed' || removed ? `-${name}` : name;

/** Puts pools that are not ready first. An element that is in its place keeps the focus. */
function arrange(keys) {
    const pools = keys.map(key => views.get(key)).filter(view => view instanceof PoolView);
    const ordered = [...pools.filter(view => view.isUnready),
        ...pools.filter(view => !view.isUnready)];
    const main = document.querySelector('main');
    ordered.forEach(({element}, index) => {
        if (main.children[index] !== element) main.insertBefore(element, main.children[index]);
    });
}

/**
 * Reads what the master has recorded: everything at first, then what this page missed, and the
 * changes when there is a new one. Without it, the page has only its own samples.
 */
async function fillHistory(previous) {
    const now = master.uptime_seconds;
    const isMissing = filledAt === null || now - previous > longestGap / 2;
    if (!isMissing && master.last_change === timeline.newest) return;
    const since = filledAt === null ? 0 : Math.floor(Math.max(0, previous ?? 0));
    const history = await fetchJSON(since ? `history?since=${since}` : 'history');
    filledAt = now;
    timeline.takeChanges(history.changes);
    for (const pool of history.pools) views.get(keyOf(pool))?.history.fill(pool);
}

/** Only the outcome is announced to screen readers: the time since changes every second. */
function drawReload(reload) {
    const element = byID('reload');
    element.hidden = !reload;
    if (!reload) return;
    const [outcome, kind, since] = reloadText(reload);
    write(element.querySelector('.outcome'), outcome);
    write(element.querySelector('.since'), since);
    element.className = kind;
}

/** Shows the pools and workers that match the text of the filter. */
function applyFilter() {
    const text = byID('filter').value.trim().toLowerCase();
    const all = [...views.values()];
    const workers = all.reduce((sum, view) => sum + view.select(text), 0);
    const pools = all.filter(view => !view.element.hidden).length;
    byID('matches').hidden = !text;
    write(byID('matches'), text ? `“${text}” matches ${countText(workers)} workers in ${pools} of `
        + `${all.length} pools.` : '');
}

function drawHead() {
    const isLost = lostAt !== null;
    document.body.classList.toggle('lost', isLost);
    const [word, kind] = isLost ? ['no response', 'bad'] : !master ? ['connecting', '']
        : master.state !== 'running' ? [master.state, '']
        : master.ready ? ['ready', 'good'] : ['not ready', 'bad'];
    write(byID('state'), word, `badge ${kind}`);
    if (master) {
        write(byID('name'), master.name);
        write(byID('facts'), [
            `generation ${master.generation}`, `up ${secondsText(master.uptime_seconds)}`,
            `pid ${master.pid}`, `supervise ${master.version}`,
            bytesText(master.memory_bytes),
        ].join(' · '));
    }
    document.title = `${word} · ${master?.name ?? 'supervise'}`;
    drawIcon(kind);
}

/** Draws the icon of the tab in the colour of the state. */
function drawIcon(kind) {
    const icon = document.querySelector('link[rel=icon]');
    if (icon.dataset.kind === kind) return;
    icon.dataset.kind = kind;
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 32;
    const pen = canvas.getContext('2d');
    pen.fillStyle = getComputedStyle(document.documentElement)
        .getPropertyValue('--' + (kind || 'boot'));
    pen.beginPath();
    pen.arc(16, 16, 13, 0, 2 * Math.PI);
    pen.fill();
    icon.href = canvas.toDataURL();
}

function drawAll() {
    readColours();
    drawHead();
    if (!master) return;
    applyFilter();
    timeline.draw(master.uptime_seconds);
    for (const view of views.values()) view.draw();
    drawJobs([...views.values()].filter(view => view instanceof JobView));
}

/** Shows since when there is no response, and the reason. */
function reportLoss(error) {
    lostAt ??= new Date();
    const reason = error.name === 'TypeError' ? 'the master is unreachable'
        : error.name === 'TimeoutError' ? 'the request timed out' : error.message;
    write(byID('alarm'), `No response since ${lostAt.toLocaleTimeString()}: ${reason}. `
        + (master ? 'The data below is older. ' : '')
        + 'Retrying every two seconds.');
}

async function fetchJSON(path) {
    const response = await fetch(
        path, {cache: 'no-store', signal: AbortSignal.timeout(5000)});
    if (!response.ok) throw new Error(`the master responds with status ${response.status}`);
    return response.json();
}

/** Polls and draws. It takes at most a quarter of the time. */
async function poll() {
    const begun = performance.now();
    try {
        const previous = master?.uptime_seconds;
        takeStatus(await fetchJSON('status'));
        await fillHistory(previous);
        lostAt = null;
    } catch (error) {
        reportLoss(error);
    }
    byID('alarm').hidden = lostAt === null;
    drawAll();
    const took = performance.now() - begun;
    const pause = lostAt ? 2000 : document.hidden ? 5000 : 1000 - took;
    setTimeout(poll, Math.max(pause, 3 * took));
}

function choose(seconds) {
    shownSeconds = seconds;
    for (const button of document.querySelectorAll('nav button')) {
        button.setAttribute('aria-pressed', Number(button.dataset.span) === seconds);
    }
    drawAll();
}

for (const button of document.querySelectorAll('nav button')) {
    button.onclick = () => choose(Number(button.dataset.span));
}
matchMedia('(prefers-color-scheme: dark)').onchange = drawAll;
addEventListener('resize', drawAll);
byID('timeline').querySelector('details').ontoggle = drawAll;
byID('filter').oninput = drawAll;
addEventListener('keydown', event => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey
        || event.target.matches('input')) return;
    event.preventDefault();
    byID('filter').focus();
});
choose(shownSeconds);
poll();
