package io.reactiverouter.connection;

/** How much TLS a connection asks for: the modes of PostgreSQL's own clients that make sense, from none to full. */
public enum TlsMode {
    /** No TLS. */
    DISABLE,
    /** TLS where the server offers it, without checking who answers. The default, as in PostgreSQL's own clients. */
    PREFER,
    /** TLS or failure, without checking who answers. */
    REQUIRE,
    /** TLS with a certificate that a trusted authority has signed. */
    VERIFY_CA,
    /** TLS with a certificate that a trusted authority has signed for this host name. */
    VERIFY_FULL
}
