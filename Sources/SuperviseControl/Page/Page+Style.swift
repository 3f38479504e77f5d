extension Page {
    /// How the page looks. Colours stand for states only; what they mean has a shape or a word too.
    static let style = #"""

        :root {
            color-scheme: light dark;
            --paper: #f7f7f5; --panel: #ffffff; --ink: #1d2126; --soft: #6a717b; --line: #e3e3df;
            --boot: #d8a33c; --ready: #4f86a8; --leave: #a89cc4; --bad: #c33d2e; --good: #3c8a5b;
            --memory: #3e7f78; --rate: #5d6fa8; --queue: #a1703c; --track: #f0f0ed;
        }
        @media (prefers-color-scheme: dark) {
            :root {
                --paper: #14171a; --panel: #1c2024; --ink: #e2e5e8; --soft: #8f98a3;
                --line: #2e343a;
                --boot: #d3a650; --ready: #5f9cc2; --leave: #81779f; --bad: #e8705f;
                --good: #63b483;
                --memory: #62b0a6; --rate: #8c9fdd; --queue: #cf9c66; --track: #23282d;
            }
        }
        * { box-sizing: border-box; }
        [hidden] { display: none !important; }
        body {
            margin: 0 auto; padding: 1rem clamp(.6rem, 2vw, 1.6rem) 2rem; max-width: 86rem;
            background: var(--paper); color: var(--ink);
            font: 14px/1.45 system-ui, sans-serif; font-variant-numeric: tabular-nums;
        }
        h1, h2, p, figure { margin: 0; }
        h1 { font-size: 1.35rem; overflow-wrap: anywhere; }
        h2 { font-size: 1.05rem; overflow-wrap: anywhere; }
        a { color: inherit; }
        .soft, th, summary span { color: var(--soft); font-weight: 400; }
        .bad { color: var(--bad); }
        .line { display: flex; flex-wrap: wrap; align-items: baseline; gap: .1rem .7rem; }
        .line > nav { margin-left: auto; }

        .badge { padding: .05rem .55rem; border-radius: 1rem; color: var(--panel);
            background: var(--boot); font-size: .85rem; font-weight: 600; }
        .badge.good { background: var(--good); }
        .badge.bad { background: var(--bad); }
        #alarm, #reload { margin-top: .7rem; padding: .45rem .8rem; border-radius: .4rem;
            border-left: .25rem solid var(--line); background: var(--panel);
            overflow-wrap: anywhere; }
        #reload.good { border-color: var(--good); }
        #reload.busy { border-color: var(--boot); }
        #reload.bad, #alarm { border-color: var(--bad); }
        #alarm { font-weight: 600; }
        body.lost main { opacity: .55; }

        button { font: inherit; color: var(--soft); background: none; border: 1px solid var(--line);
            padding: .15rem .6rem; border-radius: .35rem; cursor: pointer; }
        button[aria-pressed=true] { color: var(--ink); background: var(--panel);
            border-color: var(--soft); }
        button:disabled { opacity: .4; cursor: default; }

        .pool { margin-top: 1rem; padding: .9rem clamp(.6rem, 1.5vw, 1.1rem); border-radius: .6rem;
            background: var(--panel); border: 1px solid var(--line); }
        .charts { display: grid; grid-template-columns: 2fr 1fr 1fr; gap: .6rem 1.4rem;
            margin: .8rem 0; }
        figcaption { display: flex; justify-content: space-between; gap: .6rem; }
        figcaption output { font-weight: 600; text-align: right; }
        figcaption output small { font-weight: 400; color: var(--soft); }
        canvas { display: block; width: 100%; }
        figure canvas { height: 120px; }

        .lane { display: grid; align-items: center; column-gap: .7rem; padding: .1rem 0;
            grid-template-columns: 2.6rem 4.2rem 12rem minmax(0, 1fr) 4.2rem 4rem 7rem;
            grid-template-areas: "slot pid state track age requests memory"; }
        .lane + .lane { border-top: 1px solid var(--line); }
        .lane > * { min-width: 0; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
        .lane .slot { grid-area: slot; }
        .lane .pid { grid-area: pid; }
        .lane .state { grid-area: state; }
        .lane .track { grid-area: track; height: 26px; touch-action: pan-y; }
        .lane .age { grid-area: age; }
        .lane .requests { grid-area: requests; }
        .lane .memory { grid-area: memory; }
        .lane .slot, .lane .pid, .lane .age, .lane .requests, .lane .memory { text-align: right; }
        .lane.head { color: var(--soft); font-size: .85rem; }
        .lane.head .track { height: 18px; }
        .state::before { content: ""; display: inline-block; width: .6rem; height: .6rem;
            margin-right: .45rem; border-radius: 50%; background: var(--soft); }
        .head .state::before { display: none; }
        .state.ready::before { background: var(--ready); }
        .state.booting::before { background: var(--boot); }
        .state.leaving::before { background: var(--leave); }
        .state.failing::before { background: var(--bad); border-radius: 0; }
        .state.failing { color: var(--bad); }

        .overview { cursor: pointer; margin-bottom: .4rem; }
        .pager { gap: .5rem; margin: .4rem 0; }
        .readout { min-height: 1.45em; overflow-wrap: anywhere; }
        .legend span { white-space: nowrap; }
        .legend i { display: inline-block; width: 1.1rem; height: .55rem; margin-right: .3rem; }
        .legend .boot { background: var(--boot); }
        .legend .ready { background: var(--ready); }
        .legend .leave { background: var(--leave); }
        .legend b { margin-right: .25rem; }

        summary { cursor: pointer; margin-top: .5rem; font-weight: 600; }
        table { width: 100%; border-collapse: collapse; margin-top: .3rem; }
        th, td { padding: .12rem .9rem .12rem 0; text-align: right; white-space: nowrap; }
        th { font-size: .85rem; }
        th:nth-child(4), td:nth-child(4), th:nth-child(5), td:nth-child(5) { text-align: left; }
        th:last-child, td:last-child { padding-right: 0; }
        tbody tr { border-top: 1px solid var(--line); }
        footer { margin-top: 1rem; color: var(--soft); font-size: .85rem; }

        @media (max-width: 46rem) {
            .charts { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
            .charts .memory-chart { grid-column: 1 / -1; }
            figcaption { flex-direction: column; gap: 0; }
            figcaption output { text-align: left; }
            .lane { grid-template-columns: 1.6rem 3.7rem minmax(0, 1fr) auto auto;
                grid-template-areas: "slot pid state requests memory"
                    "track track track track track"; }
            .lane .age, .lane.head > :not(.track) { display: none; }
            .lane.head { grid-template-areas: "track track track track track"; }
            .optional { display: none; }
            details { overflow-x: auto; }
            table { font-size: .82rem; }
            th { font-size: inherit; }
            th, td { padding-right: .3rem; }
            td:nth-child(4) { white-space: normal; }
        }

        """#
}
