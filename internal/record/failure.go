package record

import (
	"errno_exporter/prober/result"
)

// Failure is a failure in the words of its labels and of an operator, as every JSON has it.
type Failure struct {
	Phase    result.Phase  `json:"phase"`
	Reason   result.Reason `json:"reason"`
	Errno    string        `json:"errno"`
	Origin   result.Origin `json:"origin"`
	Sentence string        `json:"sentence"`
	Advice   string        `json:"advice"`
	Error    string        `json:"error,omitempty"`
	Check    result.Check  `json:"check,omitempty"` // which kind of rule refused the response
	Index    *int          `json:"check_index,omitempty"`
}

// FailureOf puts a failure into words.
func FailureOf(f *result.Failure) Failure {
	out := Failure{Phase: f.Phase, Reason: f.Reason, Errno: result.ErrnoName(f.Errno), Origin: f.Origin,
		Sentence: f.Sentence(), Advice: f.Reason.Info().Sentence}
	if f.Err != nil {
		out.Error = f.Err.Error()
	}
	if f.Check != "" {
		out.Check, out.Index = f.Check, &f.Index
	}
	return out
}
