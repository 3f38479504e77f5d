extension PoolSettings {
    /// The value of a setting as written in a config file, for messages; nil if it is not set.
    public func writtenValue(of key: String) -> String? {
        guard case .pool(let field) = Setting.named(key)?.field else { return nil }
        let texts = field.texts(self)
        return texts.isEmpty ? nil : texts.joined(separator: ", ")
    }
}
