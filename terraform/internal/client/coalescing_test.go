package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/firn-stream/terraform-provider-firn/internal/client/api"
)

// shop counts how it is asked.
type shop struct {
	lists, ones atomic.Int64
	version     atomic.Int64
	fails       atomic.Bool
	clock       time.Time
}

func (s *shop) coalesced() *Coalesced[string] {
	c := newCoalesced(
		func(context.Context, string) ([]string, error) {
			s.lists.Add(1)
			if s.fails.Swap(false) {
				return nil, errors.New("away")
			}
			var all []string
			for place := range 1000 {
				all = append(all, fmt.Sprintf("%d v%d", place, s.version.Load()))
			}
			return all, nil
		},
		func(_ context.Context, _, key string) (string, error) {
			s.ones.Add(1)
			return fmt.Sprintf("%s v%d", key, s.version.Load()), nil
		},
		func(item string) string {
			var key string
			_, _ = fmt.Sscanf(item, "%s", &key)
			return key
		},
	)
	s.clock = time.Now()
	c.now = func() time.Time { return s.clock }
	return c
}

func TestManyReadsAreOneListing(t *testing.T) {
	s := &shop{}
	c := s.coalesced()
	var all sync.WaitGroup
	for place := range 1000 {
		all.Go(func() {
			item, found, err := c.Get(t.Context(), "cluster", fmt.Sprint(place))
			if err != nil || !found || item != fmt.Sprintf("%d v0", place) {
				t.Errorf("%d: %q %v %v", place, item, found, err)
			}
		})
	}
	all.Wait()
	if s.lists.Load() != 1 || s.ones.Load() != fewReads {
		t.Errorf("it listed %d times and asked %d times for one", s.lists.Load(), s.ones.Load())
	}
	if _, found, err := c.Get(t.Context(), "cluster", "other"); found || err != nil {
		t.Errorf("what is not listed is not there: %v %v", found, err)
	}
}

func TestAFewReadsAreNoListing(t *testing.T) {
	s := &shop{}
	c := s.coalesced()
	for place := range fewReads {
		if _, found, err := c.Get(t.Context(), "cluster", fmt.Sprint(place)); !found || err != nil {
			t.Error(found, err)
		}
	}
	if s.lists.Load() != 0 {
		t.Error("it listed")
	}
}

func TestAWriteAndTimeMakeReadsAskAnew(t *testing.T) {
	s := &shop{}
	c := s.coalesced()
	read := func() string {
		item := ""
		for range fewReads + 1 {
			found := false
			var err error
			if item, found, err = c.Get(t.Context(), "cluster", "7"); !found || err != nil {
				t.Fatal(found, err)
			}
		}
		return item
	}
	read()
	s.version.Add(1)
	if item := read(); item != "7 v0" {
		t.Errorf("the listing was not kept: %q", item)
	}
	c.Forget("cluster")
	if item := read(); item != "7 v1" {
		t.Errorf("it has seen %q after a write", item)
	}
	s.version.Add(1)
	s.clock = s.clock.Add(listingKept + time.Second)
	if item := read(); item != "7 v2" {
		t.Errorf("it has seen %q after a while", item)
	}
}

func TestAListingThatFailsIsNotKept(t *testing.T) {
	s := &shop{}
	c := s.coalesced()
	s.fails.Store(true)
	failures := 0
	for range fewReads + 5 {
		if _, _, err := c.Get(t.Context(), "cluster", "7"); err != nil {
			failures++
		}
	}
	if failures != 1 {
		t.Errorf("%d reads failed", failures)
	}
}

func TestACLsOfOneMomentAreOneRequest(t *testing.T) {
	var batches atomic.Int64
	b := newBatcher(func(_ context.Context, _ string, changes []change) {
		batches.Add(1)
		for place, wanted := range changes {
			if wanted.remove == "bad" {
				wanted.result <- outcome{err: errors.New("refused")}
				continue
			}
			wanted.result <- outcome{acl: &api.Acl{Id: fmt.Sprint(place)}}
		}
	})
	var all sync.WaitGroup
	for place := range 50 {
		all.Go(func() {
			wanted := change{remove: fmt.Sprint(place)}
			if place == 13 {
				wanted.remove = "bad"
			}
			_, err := b.do(t.Context(), "cluster", wanted)
			if (err != nil) != (place == 13) {
				t.Errorf("%d: %v", place, err)
			}
		})
	}
	all.Wait()
	if batches.Load() > 10 {
		t.Errorf("there were %d requests", batches.Load())
	}
}
