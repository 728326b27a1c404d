package arc

import (
	"errors"

	"assay/verify/dkim"
)

// Why a chain fails before any signature is looked at.
var (
	ErrSyntax    = errors.New("malformed ARC field")
	ErrFieldSize = errors.New("ARC field too long")
	ErrInstance  = errors.New("instance missing or not in 1 to 50")
	ErrTooMany   = errors.New("too many ARC fields")
	ErrStructure = errors.New("incomplete ARC chain")
	ErrDeclared  = errors.New("chain declared failed by its last sealer")
	ErrCV        = errors.New("chain validation status does not fit the instance")
	ErrSealTag   = errors.New("seal with h=")
	ErrCovers    = errors.New("h= covers ARC-Seal")
)

// Why a chain fails when its signatures are verified; the errors of package
// dkim that tell about the field, the body and the key are wrapped as they are.
var (
	ErrTestMode    = dkim.ErrTestMode
	ErrUnavailable = dkim.ErrLookup
)
