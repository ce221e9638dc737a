package result

import "strconv"

// ExtendedError is an Extended DNS Error of an answer (RFC 8914).
type ExtendedError struct {
	Code uint16 // INFO-CODE
	Text string // EXTRA-TEXT, cut; free text of the name server, for the record alone
}

// extendedNames are IANA's registry "Extended DNS Error Codes".
var extendedNames = [...]string{
	"Other Error", "Unsupported DNSKEY Algorithm", "Unsupported DS Digest Type", "Stale Answer", "Forged Answer",
	"DNSSEC Indeterminate", "DNSSEC Bogus", "Signature Expired", "Signature Not Yet Valid", "DNSKEY Missing",
	"RRSIGs Missing", "No Zone Key Bit Set", "NSEC Missing", "Cached Error", "Not Ready", "Blocked", "Censored",
	"Filtered", "Prohibited", "Stale NXDOMAIN Answer", "Not Authoritative", "Not Supported", "No Reachable Authority",
	"Network Error", "Invalid Data", "Signature Expired before Valid", "Too Early", "Unsupported NSEC3 Iterations Value",
	"Unable to conform to policy", "Synthesized", "Invalid Query Type",
}

// Name is the code's registered name with the number.
func (e ExtendedError) Name() string {
	number := "extended DNS error " + strconv.Itoa(int(e.Code))
	if int(e.Code) < len(extendedNames) {
		return extendedNames[e.Code] + " (" + number + ")"
	}
	return number
}

// Label is the code where it is registered, else "other".
func (e ExtendedError) Label() string {
	if int(e.Code) < len(extendedNames) {
		return strconv.Itoa(int(e.Code))
	}
	return "other"
}
