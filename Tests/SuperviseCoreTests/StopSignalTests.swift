import Testing

@testable import SuperviseCore

/// Signals that stop the service (Service+StopSignals.swift).
struct StopSignalTests {
    /// Without a listener, a stop needs no closing, so its mode is visible at once.
    private func queue() -> ServiceBench { up(plan("queue") { $0.hasListeners = false }) }

    @Test func twoTermsAtOnceAreOneRequest() {
        let bench = queue()
        bench.tell(.stopSignal(.terminate))
        #expect(bench.service.haste == .graceful)
        #expect(bench.tell(.stopSignal(.terminate)) == [])
        bench.wait(.milliseconds(999))
        #expect(bench.tell(.stopSignal(.terminate)) == [])
        #expect(bench.service.haste == .graceful)
    }

    @Test func aSecondTermOneSecondAfterTheFirstIsAQuickStop() {
        let bench = queue()
        bench.tell(.stopSignal(.terminate))
        bench.wait(.milliseconds(999))
        bench.tell(.stopSignal(.terminate))
        bench.wait(.milliseconds(1))
        #expect(
            bench.tell(.stopSignal(.terminate)).performed
                == [.note(.stopping(pool: 0, .quick)), .signal(worker(0), .quick)])
        // Further signals change nothing.
        bench.wait(.milliseconds(1500))
        #expect(bench.tell(.stopSignal(.terminate)) == [])
    }

    @Test func aTermAfterAnotherKindOfStopIsTheFirst() {
        let bench = queue()
        bench.tell(.stop(.graceful))
        bench.wait(.seconds(5))
        #expect(bench.tell(.stopSignal(.terminate)) == [])
        bench.wait(.seconds(1))
        bench.tell(.stopSignal(.terminate))
        #expect(bench.service.haste == .quick)
    }

    @Test(arguments: [Service.StopSignal.interrupt, .quit])
    func anInterruptIsQuickAndASecondOneImmediate(signal: Service.StopSignal) {
        let bench = queue()
        bench.tell(.stopSignal(.terminate))
        bench.tell(.stopSignal(signal))
        #expect(bench.service.haste == .quick)
        #expect(bench.tell(.stopSignal(signal)) == [])
        bench.wait(.seconds(1))
        #expect(
            bench.tell(.stopSignal(signal)).performed.contains(.kill(worker(0))))
        #expect(bench.service.haste == .immediate)
    }

    @Test func differentSignalsAreDifferentRequests() {
        let bench = queue()
        bench.tell(.stopSignal(.interrupt))
        bench.tell(.stopSignal(.quit))
        #expect(bench.service.haste == .immediate)
    }

    @Test func lostTimeDoesNotSeparateSignals() {
        let bench = queue()
        bench.tell(.stopSignal(.terminate))
        bench.wait(.seconds(5))
        bench.tell(.late(by: .seconds(5)))
        #expect(bench.tell(.stopSignal(.terminate)) == [])
        #expect(bench.service.haste == .graceful)
    }
}
