package traces

func (t *tree) criticalPath() []Segment { return nil }
