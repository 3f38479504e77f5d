@testable import SuperviseCore

extension [Action] {
    /// Whether it is the request of a sample for a decision.
    var isMemorySample: Bool {
        self == [.sample(pool: 0, [.memory, .room, .load])]
    }
}

extension Bench {
    /// Brings these workers to ready.
    func makeReady(_ ids: [WorkerID]) {
        for id in ids { makeReady(id) }
    }

    private func figures(_ accepted: [Int: UInt64]) -> [PoolSample.Load.Figure] {
        pool.slots.compactMap(\.incumbent).map {
            PoolSample.Load.Figure(
                $0.id, accepted: accepted[$0.id.slot], isBusy: accepted[$0.id.slot] != nil)
        }
    }

    /// Completes a sample of the load; `accepted` are the totals of the busy slots.
    @discardableResult
    func load(waiting: Int, accepted: [Int: UInt64] = [:]) -> [Action] {
        tell(
            .sampled(PoolSample(load: .init(waiting: waiting, workers: figures(accepted)))))
    }

    @discardableResult
    func waitAndLoad(
        waiting: Int, accepted: [Int: UInt64] = [:]
    ) -> [Action] {
        wait(.milliseconds(100))
        return load(waiting: waiting, accepted: accepted)
    }

    @discardableResult
    func memoryAndLoad(
        waiting: Int, accepted: [Int: UInt64] = [:], memory: [Int: UInt64] = [:],
        room: MemoryRoom? = nil
    ) -> [Action] {
        let figures = figures(accepted)
        return tell(
            .sampled(
                PoolSample(
                    room: room,
                    memory: figures.map { .init($0.id, bytes: memory[$0.id.slot] ?? 1) },
                    load: .init(waiting: waiting, workers: figures))))
    }

    /// Doubles the workers of a pool of 2.
    func overload() {
        tell(.connectionAnnounced)
        wake()
        load(waiting: 20, accepted: [0: 5, 1: 5])
        waitAndLoad(waiting: 20, accepted: [0: 7, 1: 7])
        memoryAndLoad(waiting: 20, accepted: [0: 7, 1: 7])
    }

    /// Lets time pass without load. Returns the actions.
    @discardableResult
    func idle(seconds: Int, memory: [Int: UInt64] = [:]) -> [Action] {
        var actions: [Action] = []
        for _ in 0..<seconds {
            wait(.seconds(1))
            let figures = pool.slots.compactMap(\.incumbent).map {
                PoolSample.Load.Figure($0.id, accepted: nil, isBusy: false)
            }
            actions += tell(
                .sampled(
                    PoolSample(
                        memory: figures.map { .init($0.id, bytes: memory[$0.id.slot] ?? 1) },
                        load: .init(waiting: 0, workers: figures))))
        }
        return actions
    }
}
