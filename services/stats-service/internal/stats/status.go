package stats

import (
	"time"

	"github.com/google/uuid"
)

// Roles of generations.
const (
	RoleActive   = "active"   // answers, and follows the events
	RoleBuilding = "building" // is filled by a rebuild
	RoleRetired  = "retired"  // waits to be deleted
)

// Generation is one set of projections.
type Generation struct {
	Number int64
	Role   string
	Pos    int64
}

// Status is the state of the projections.
type Status struct {
	Cursor      Cursor
	Head        int64       // last position given
	Pending     *time.Time  // as in View
	Building    *Generation // by a rebuild, if one is under way
	ParkedCount int
	Parked      []Parked // the oldest
}

// Progress is how far the projections of one project are.
type Progress struct {
	Applied  int64
	Revision int64
}

// ProjectRef names a project.
type ProjectRef struct {
	ID   uuid.UUID
	Key  string
	Name string
}
