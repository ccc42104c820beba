package importer

import (
	"bufio"
	"container/heap"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// sorter sorts more values than fit into memory: sorted runs go to temporary files and are merged in the end. T is
// encoded by gob.
type sorter[T any] struct {
	dir     string
	most    int // values held in memory
	compare func(a, b T) int
	held    []T
	runs    []*os.File
}

func (s *sorter[T]) add(v T) error {
	s.held = append(s.held, v)
	if len(s.held) < s.most {
		return nil
	}
	return s.spill()
}

// spill writes what is held as one sorted run.
func (s *sorter[T]) spill() error {
	slices.SortFunc(s.held, s.compare)
	f, err := tempFile(s.dir)
	if err != nil {
		return err
	}
	s.runs = append(s.runs, f)
	w := bufio.NewWriter(f)
	enc := gob.NewEncoder(w)
	for i := range s.held {
		if err := enc.Encode(&s.held[i]); err != nil {
			return fmt.Errorf("importer: write a sorted run: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("importer: write a sorted run: %w", err)
	}
	clear(s.held)
	s.held = s.held[:0]
	return nil
}

// each calls fn with every value in order.
func (s *sorter[T]) each(fn func(T) error) error {
	if len(s.runs) == 0 { // all in memory
		slices.SortFunc(s.held, s.compare)
		for _, v := range s.held {
			if err := fn(v); err != nil {
				return err
			}
		}
		return nil
	}
	if err := s.spill(); err != nil {
		return err
	}
	m := merge[T]{compare: s.compare}
	for _, f := range s.runs {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("importer: rewind a sorted run: %w", err)
		}
		head := &source[T]{dec: gob.NewDecoder(bufio.NewReader(f))}
		more, err := head.advance()
		if err != nil {
			return err
		}
		if more {
			m.sources = append(m.sources, head)
		}
	}
	heap.Init(&m)
	for len(m.sources) > 0 {
		least := m.sources[0]
		if err := fn(least.value); err != nil {
			return err
		}
		more, err := least.advance()
		if err != nil {
			return err
		}
		if more {
			heap.Fix(&m, 0)
		} else {
			heap.Pop(&m)
		}
	}
	return nil
}

func (s *sorter[T]) close() {
	for _, f := range s.runs {
		_ = f.Close() // temporary and unlinked; nothing can get lost
	}
}

// source is a run with its next value.
type source[T any] struct {
	dec   *gob.Decoder
	value T
}

func (s *source[T]) advance() (more bool, err error) {
	var next T
	if err := s.dec.Decode(&next); errors.Is(err, io.EOF) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("importer: read a sorted run: %w", err)
	}
	s.value = next
	return true, nil
}

// merge is a heap of runs by their next values.
type merge[T any] struct {
	sources []*source[T]
	compare func(a, b T) int
}

func (m *merge[T]) Len() int           { return len(m.sources) }
func (m *merge[T]) Less(i, j int) bool { return m.compare(m.sources[i].value, m.sources[j].value) < 0 }
func (m *merge[T]) Swap(i, j int)      { m.sources[i], m.sources[j] = m.sources[j], m.sources[i] }

// Push is part of heap.Interface; all sources are there before the heap is made.
func (m *merge[T]) Push(v any) {
	if s, ok := v.(*source[T]); ok {
		m.sources = append(m.sources, s)
	}
}

// Pop is part of heap.Interface.
func (m *merge[T]) Pop() any {
	last := m.sources[len(m.sources)-1]
	m.sources = m.sources[:len(m.sources)-1]
	return last
}
