extension Page {
    /// What is there before the first answer, and the patterns of what comes with it.
    static let body = #"""
        <body>
        <header>
        <div class="line">
            <h1 id="name">supervise</h1>
            <span id="state" class="badge">asking</span>
            <span id="facts" class="soft"></span>
            <nav aria-label="Time shown">
                <button data-span="120">2 min</button>
                <button data-span="600">10 min</button>
                <button data-span="3600">1 h</button>
            </nav>
        </div>
        <p id="alarm" role="alert" hidden></p>
        <p id="reload" role="status" hidden></p>
        </header>
        <main></main>
        <footer>
        <p class="line legend">
            <span><i class="boot"></i>boots</span>
            <span><i class="ready"></i>ready</span>
            <span><i class="leave"></i>retires</span>
            <span><b>○</b>recycled</span>
            <span><b>◇</b>reloaded</span>
            <span class="bad"><b>✕</b>crashed or killed</span>
            <span><b>|</b>ended otherwise</span>
        </p>
        <p>Each lane is a slot; a worker and the one after it take turns in its upper and lower
        half. The page asks each second, or less often where the answer takes long. It remembers up
        to an hour: what it has seen, and the last 100 exits of each pool, which the master tells.
        <a href="status">status</a> · <a href="metrics">metrics</a> ·
        <a href="events">events</a></p>
        <noscript><p class="bad">This page needs JavaScript; see status for the same as JSON.</p>
        </noscript>
        </footer>

        <template id="pool-pattern">
        <section class="pool">
            <div class="line">
                <h2></h2><span class="pool-state"></span><span class="listeners soft"></span>
            </div>
            <div class="charts">
                <figure class="memory-chart">
                    <figcaption>Memory of the workers <output></output></figcaption>
                    <canvas role="img" aria-label="Memory of each worker over time"></canvas>
                </figure>
                <figure class="rate-chart">
                    <figcaption>Requests per second <output></output></figcaption>
                    <canvas role="img" aria-label="Requests per second over time"></canvas>
                </figure>
                <figure class="queue-chart">
                    <figcaption>Accept queue <output></output></figcaption>
                    <canvas role="img" aria-label="Waiting connections over time"></canvas>
                </figure>
            </div>
            <div class="crowd" hidden>
                <canvas class="overview" role="img" aria-label="The state of all slots"></canvas>
                <div class="line pager">
                    <button class="back" aria-label="Slots before">‹</button>
                    <button class="on" aria-label="Slots after">›</button>
                    <span class="shown soft"></span>
                </div>
            </div>
            <div class="lanes">
                <div class="lane head">
                    <span class="slot">slot</span><span class="pid">pid</span>
                    <span class="state">state</span><canvas class="track"></canvas>
                    <span class="age">age</span><span class="requests">requests</span>
                    <span class="memory">memory</span>
                </div>
            </div>
            <p class="readout soft"></p>
            <details open>
                <summary>Exits <span class="totals"></span></summary>
                <table>
                    <thead><tr>
                        <th>ago</th><th>slot</th><th>pid</th><th>cause</th><th>end</th>
                        <th class="optional">age</th><th class="optional">requests</th>
                        <th>memory</th><th class="optional">generation</th>
                    </tr></thead>
                    <tbody></tbody>
                </table>
            </details>
        </section>
        </template>

        <template id="lane-pattern">
            <div class="lane">
                <span class="slot"></span><span class="pid"></span><span class="state"></span>
                <canvas class="track"></canvas>
                <span class="age"></span><span class="requests"></span><span class="memory"></span>
            </div>
        </template>
        </body>
        """#
}
