/// Orthonormal columns, with weights of the observations.
struct Basis {
    private var columns: [[Double]] = []
    private let weights: [Double]

    init(_ columns: [[Double]], _ weights: [Double]) {
        self.weights = weights
        for column in columns {
            let left = residual(of: column)
            let size = product(left, left).squareRoot()
            guard size > 1e-6 * product(column, column).squareRoot(), size > 0 else { continue }
            self.columns.append(left.map { $0 / size })
        }
    }

    /// Returns what the columns do not explain.
    func residual(of values: [Double]) -> [Double] {
        var left = values
        for column in columns {
            let part = product(column, left)
            for index in left.indices { left[index] -= part * column[index] }
        }
        return left
    }

    /// Returns the size of the part of `rest` that this column explains and the basis does not;
    /// negative if its coefficient is. `rest` must be a residual.
    func gain(of values: [Double], _ rest: [Double]) -> Double {
        let whole = product(values, values)
        guard whole > 0 else { return 0 }
        var left = whole
        for column in columns {
            let part = product(column, values)
            left -= part * part
        }
        guard left > 1e-6 * whole else { return 0 }
        return product(values, rest) / left.squareRoot()
    }

    private func product(_ first: [Double], _ second: [Double]) -> Double {
        LeastSquares.product(first, second, weights)
    }
}

/// Linear regression with few columns.
enum LeastSquares {
    /// A coefficient and its standard error.
    struct Estimate {
        var value: Double
        var error: Double
    }

    /// Returns the sum of the weighted products.
    static func product(_ first: [Double], _ second: [Double], _ weights: [Double]) -> Double {
        var sum = 0.0
        for index in 0..<min(first.count, second.count, weights.count) {
            sum += weights[index] * first[index] * second[index]
        }
        return sum
    }

    /// Returns the coefficients.
    static func solve(_ columns: [[Double]], _ values: [Double], _ weights: [Double]) -> [Double] {
        let inverse = inverse(columns, weights)
        let products = columns.map { product($0, values, weights) }
        return inverse.map { row in zip(row, products).reduce(0) { $0 + $1.0 * $1.1 } }
    }

    /// Returns the coefficients with their errors; `deviation` is that of the values.
    static func estimate(
        _ columns: [[Double]], _ values: [Double], _ weights: [Double], _ deviation: Double
    ) -> [Estimate] {
        let inverse = inverse(columns, weights)
        let products = columns.map { product($0, values, weights) }
        return inverse.enumerated().map { index, row in
            Estimate(
                value: zip(row, products).reduce(0) { $0 + $1.0 * $1.1 },
                error: deviation * max(row[index], 0).squareRoot())
        }
    }

    /// Returns the inverse of the matrix of products, by Gauss and Jordan. Columns without content
    /// of their own get a coefficient near 0 and a large error.
    private static func inverse(_ columns: [[Double]], _ weights: [Double]) -> [[Double]] {
        let count = columns.count
        var matrix = columns.map { first in columns.map { product(first, $0, weights) } }
        var inverse = (0..<count).map { row in (0..<count).map { $0 == row ? 1.0 : 0.0 } }
        for row in 0..<count { matrix[row][row] = matrix[row][row] * (1 + 1e-9) + 1e-9 }
        for pivot in 0..<count {
            let value = matrix[pivot][pivot]
            for column in 0..<count {
                matrix[pivot][column] /= value
                inverse[pivot][column] /= value
            }
            for row in 0..<count where row != pivot && matrix[row][pivot] != 0 {
                let factor = matrix[row][pivot]
                for column in 0..<count {
                    matrix[row][column] -= factor * matrix[pivot][column]
                    inverse[row][column] -= factor * inverse[pivot][column]
                }
            }
        }
        return inverse
    }
}
