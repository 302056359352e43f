"""Who is there: users, the tokens they carry, the identities they bring, and what was done.

Nouns: User, AccessToken, UserIdentity (an outside issuer's name for a user), AuditEntry; a
Principal is what a token resolves to, an Operator is who may run the deployment.
Verbs: sign_in, sign_in_with_id_token, sign_out, disable_user, record_audit; authenticated reads.

Invariants: a token is stored as its hash alone and shown once; a revoked or expired token, and
every token of a disabled user, resolves to nobody; an outside identity belongs to one user for
ever; an audit entry is never changed or deleted, which the database itself refuses.
"""
