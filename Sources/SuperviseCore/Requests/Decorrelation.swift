/// Makes the growth of neighbours independent: the innovations of a moving average of order 1
/// (Brockwell and Davis, 1991).
struct Decorrelation {
    private let theta: Double
    private var carried = 0.0
    /// The variance of the next value.
    private(set) var scale: Double

    init(_ theta: Double) {
        self.theta = theta
        scale = 1 + theta * theta
    }

    /// Begins another series.
    mutating func restart() { self = Decorrelation(theta) }

    mutating func next(_ value: Double) -> Double {
        let innovation = value - carried
        carried = innovation * theta / scale
        defer { scale = 1 + theta * theta - theta * theta / scale }
        return innovation / scale.squareRoot()
    }
}

/// A product of numbers that would overflow.
struct Product {
    private var exponent = 0
    private var significand = 1.0

    mutating func multiply(by factor: Double) {
        significand *= factor
        exponent += Int(significand.exponent)
        significand = significand.significand
    }

    /// Returns the nth root, to some thousandths, if it is between 1 and 2.
    func root(_ count: Int) -> Double {
        let logarithm = (Double(exponent) + significand - 1) / Double(max(1, count))
        return 1 + logarithm * (0.6565 + 0.3435 * logarithm)
    }
}
