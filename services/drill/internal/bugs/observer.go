package bugs

import (
	"context"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/check"
	"github.com/tallyboard/tallyboard/services/drill/internal/drill"
)

// observer keeps what a drill finds, and ends the faults once something does not recover: nothing more can be learnt then.
type observer struct {
	drill.Companion
	limit      time.Duration // until all is well after a fault
	enough     func()
	conductor  *drill.Conductor
	violations []check.Violation
}

// Started implements drill.Companion.
func (o *observer) Started(_ context.Context, r *drill.Conductor) error {
	o.conductor = r
	return nil
}

// FaultEnds implements drill.Companion.
func (o *observer) FaultEnds(time.Duration) {
	for _, f := range o.conductor.Record().Faults {
		if f.Error != "" || f.Whole > o.limit {
			o.enough()
		}
	}
}

// Judge implements drill.Companion.
func (o *observer) Judge(_ *drill.Conductor, violations []check.Violation, broken error) error {
	o.violations = violations
	return broken
}
