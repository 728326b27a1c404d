package dkim

import "errors"

// Why the signature field cannot be verified: Result PermError.
var (
	ErrSyntax     = errors.New("malformed signature")
	ErrFieldSize  = errors.New("signature field too long")
	ErrVersion    = errors.New("unknown signature version")
	ErrTagMissing = errors.New("signature without a required tag")
	ErrAlgorithm  = errors.New("unknown signature algorithm")
	ErrSHA1       = errors.New("rsa-sha1 must not be verified")
	ErrDomain     = errors.New("signing domain or selector is not a domain name")
	ErrAUID       = errors.New("i= is not within d=")
	ErrFrom       = errors.New("unsigned From field")
	ErrNames      = errors.New("too many names in h=")
	ErrQuery      = errors.New("unknown query method")
	ErrExpired    = errors.New("signature expired")
	ErrFuture     = errors.New("signature from the future")
	ErrTime       = errors.New("expires before it was made")
	ErrLength     = errors.New("body shorter than l=")
)

// What is wrong with the key: Result PermError.
var (
	ErrNoKey        = errors.New("no key for signature")
	ErrKeySyntax    = errors.New("malformed key record")
	ErrKeyCount     = errors.New("more than one key record")
	ErrKeyRevoked   = errors.New("key revoked")
	ErrKeyVersion   = errors.New("unknown key version")
	ErrKeyType      = errors.New("key type does not fit the algorithm")
	ErrKeyHash      = errors.New("key not for this hash algorithm")
	ErrKeyService   = errors.New("key not for mail")
	ErrKeyShort     = errors.New("RSA key shorter than 1024 bits")
	ErrKeyLong      = errors.New("RSA key longer than 8192 bits")
	ErrKeyExponent  = errors.New("RSA exponent not acceptable")
	ErrKeyModulus   = errors.New("RSA modulus not acceptable")
	ErrExhausted    = errors.New("too many DNS questions")
	ErrKeySubdomain = errors.New("key does not allow i= below d=")
)

// Why a signature that could be verified does not count.
var (
	ErrCanon      = errors.New("unknown canonicalization")      // Neutral
	ErrTestMode   = errors.New("key in test mode")              // Neutral
	ErrTooMany    = errors.New("too many signatures")           // Neutral
	ErrBodyHash   = errors.New("body hash differs")             // Fail
	ErrSignature  = errors.New("signature does not verify")     // Fail
	ErrBodyLength = errors.New("body continues beyond l=")      // Policy
	ErrUnsigned   = errors.New("unsigned duplicate of a field") // Policy
	ErrLookup     = errors.New("key unavailable")               // TempError
)
