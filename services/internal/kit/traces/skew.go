package traces

func (t *tree) adjustClocks() {}
