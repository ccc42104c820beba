package bugs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tallyboard/tallyboard/services/drill/internal/check"
	"github.com/tallyboard/tallyboard/services/drill/internal/drill"
)

// errUnjudged says that a drill ended without having been judged, and without telling why.
var errUnjudged = errors.New("the drill was not judged")

// observer keeps what a drill finds, and ends the faults once something does not recover: nothing more can be learnt then.
type observer struct {
	drill.Companion
	limit      time.Duration // until all is well after a fault
	enough     func()
	conductor  *drill.Conductor
	violations []check.Violation
	judged     bool // the drill came to its end, and its record was checked
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
	o.violations, o.judged = violations, broken == nil
	return broken
}

// broken returns why a drill that ended with err says nothing about the services: it was not carried out as it should have
// been. Violations alone are no reason; nil if there is none.
func (o *observer) broken(err error) error {
	if !o.judged {
		if err == nil {
			err = errUnjudged
		}
		return err
	}
	for _, f := range o.conductor.Record().Faults {
		if f.Undone {
			return fmt.Errorf("%s of %s: %s", f.Kind, f.Target, f.Error)
		}
	}
	return nil
}
