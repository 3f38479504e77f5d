import SuperviseCore

extension ControlRoute {
    /// Reads `POST /hunt`.
    @Sendable static func hunt(
        _ parameters: inout Parameters
    ) throws(ControlRefusal) -> ControlRequest {
        func number(
            _ name: String, in range: ClosedRange<Int>, orElse value: Int,
            _ parameters: inout Parameters
        ) throws(ControlRefusal) -> Int {
            guard let text = try parameters.value(name) else { return value }
            guard let number = self.number(text), range.contains(number) else {
                throw ControlRefusal(
                    .badRequest,
                    "\(name) must be a number from \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }
        let pool = try parameters.value("pool")
        let requests = try number("requests", in: HuntOrder.requestRange, orElse: 500, &parameters)
        let seconds = try number("seconds", in: HuntOrder.secondRange, orElse: 300, &parameters)
        let pause = try number("exclusive", in: 0...HuntOrder.longestPause, orElse: 0, &parameters)
        let traces = try parameters.flag("trace")
        return .hunt(
            pool: pool,
            HuntOrder(
                requests: requests, time: .seconds(Int64(seconds)), traces: traces,
                pause: pause == 0 ? nil : .seconds(Int64(pause))))
    }
}
