"""STAMP on the wire (RFC 8762, RFC 8972): packets, authentication, TLVs, timestamps."""
