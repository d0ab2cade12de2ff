"""The bytes: topics, Avro schemas, the codec between values and octets, and the SMPP wire format."""
