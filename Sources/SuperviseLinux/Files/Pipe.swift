import CSupervise
import Glibc

/// A pipe(2).
public enum Pipe {
    /// The reading end, which never blocks.
    public final class Reader: Sendable {
        private let descriptor: FileDescriptor

        init(_ descriptor: consuming FileDescriptor) {
            self.descriptor = descriptor
        }

        /// The descriptor's number.
        public var rawValue: Int32 { descriptor.rawValue }

        /// The available data; empty at the end of the file, nil if there is none yet.
        public func read() throws(SystemCallError) -> [UInt8]? {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            do throws(SystemCallError) {
                let count = try systemCall("read") {
                    Glibc.read(descriptor.rawValue, &buffer, buffer.count)
                }
                return Array(buffer.prefix(count))
            } catch  where error.code == EAGAIN {
                return nil
            }
        }
    }

    /// Creates a pipe with both ends close-on-exec and a non-blocking reading end. Fails as pipe(2)
    /// and fcntl(2).
    public static func make() throws(SystemCallError) -> (reader: Reader, writer: OwnedDescriptor) {
        let numbers = try numbers()
        return (Reader(FileDescriptor(owning: numbers.0)), try writer(numbers.1))
    }

    static func numbers() throws(SystemCallError) -> (Int32, Int32) {
        var ends: [Int32] = [-1, -1]
        try systemCall("pipe2") { csupervise_pipe(&ends) }
        return (ends[0], ends[1])
    }

    /// The writing end, which blocks.
    static func writer(_ number: Int32) throws(SystemCallError) -> OwnedDescriptor {
        let writer = OwnedDescriptor(FileDescriptor(owning: number))
        try systemCall("fcntl") { fcntl(writer.rawValue, F_SETFL, O_WRONLY) }
        return writer
    }
}
