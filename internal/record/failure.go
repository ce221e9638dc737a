package record

import "errno_exporter/prober"

// Failure is a failure in the words of its labels and of an operator, as every JSON has it.
type Failure struct {
	Phase    prober.Phase  `json:"phase"`
	Reason   prober.Reason `json:"reason"`
	Errno    string        `json:"errno"`
	Origin   prober.Origin `json:"origin"`
	Sentence string        `json:"sentence"`
	Advice   string        `json:"advice"`
	Error    string        `json:"error,omitempty"`
}

// FailureOf puts a failure into words.
func FailureOf(f *prober.Failure) Failure {
	out := Failure{Phase: f.Phase, Reason: f.Reason, Errno: prober.ErrnoName(f.Errno), Origin: f.Origin, Sentence: f.Sentence(), Advice: f.Reason.Info().Sentence}
	if f.Err != nil {
		out.Error = f.Err.Error()
	}
	return out
}
