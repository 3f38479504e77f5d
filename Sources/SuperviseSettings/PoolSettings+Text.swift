extension PoolSettings {
    /// The value of a setting as a config file says it, for messages; nil where nothing is set.
    public func writtenValue(of key: String) -> String? {
        guard case .pool(let field) = Setting.named(key)?.field else { return nil }
        let texts = field.texts(self)
        return texts.isEmpty ? nil : texts.joined(separator: ", ")
    }
}
