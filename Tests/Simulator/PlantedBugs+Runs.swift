#if DEBUG
    import SuperviseCore

    /// Runs of a service with a planted bug.
    extension PlantedBug {
        /// The invariant that a schedule shows to be broken.
        package func violation(in schedule: Schedule) -> Violation? {
            var simulation = Simulation(schedule, of: Bugged(self, schedule))
            return simulation.run().violation
        }

        /// A shorter schedule that breaks the same invariant.
        package func shrink(_ schedule: Schedule, breaking invariant: String) -> Schedule {
            Shrinker.shrink(schedule, breaking: invariant) { Bugged(self, $0) }
        }

        /// All sequences of a scene up to this length.
        package func explore(_ scene: Scene, length: Int) -> Exhaustive<Bugged>.Findings {
            Exhaustive.explore(scene, length: length) { bugged(scene) }
        }

        /// The invariant that a sequence shows to be broken.
        package func violation(after sequence: [Stimulus], in scene: Scene) -> Violation? {
            Walk(scene, of: bugged(scene)).violation(after: sequence)
        }

        private func bugged(_ scene: Scene) -> Bugged {
            Bugged(self, Schedule(seed: 1, pools: [scene.plan]))
        }
    }
#endif
