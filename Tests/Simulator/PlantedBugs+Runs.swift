#if DEBUG
    import SuperviseCore

    /// Runs of a service with a planted bug.
    extension PlantedBug {
        /// Returns the invariant that a schedule breaks.
        package func violation(in schedule: Schedule) -> Violation? {
            var simulation = Simulation(schedule, of: Bugged(self, schedule))
            return simulation.run().violation
        }

        /// Returns a shorter schedule that breaks the same invariant.
        package func shrink(_ schedule: Schedule, breaking invariant: String) -> Schedule {
            Shrinker.shrink(schedule, breaking: invariant) { Bugged(self, $0) }
        }

        /// Explores all sequences of a scene up to this length.
        package func explore(_ scene: Scene, length: Int) -> Exhaustive<Bugged>.Findings {
            Exhaustive.explore(scene, length: length) { bugged(scene) }
        }

        /// Returns the invariant that a sequence breaks.
        package func violation(after sequence: [Stimulus], in scene: Scene) -> Violation? {
            Walk(scene, of: bugged(scene)).violation(after: sequence)
        }

        private func bugged(_ scene: Scene) -> Bugged {
            Bugged(self, Schedule(seed: 1, pools: [scene.plan]))
        }
    }
#endif
