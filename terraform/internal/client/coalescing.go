package client

import (
	"context"
	"sync"
	"time"
)

const (
	// How many things of one parent are asked for one by one before they are listed.
	fewReads = 3
	// For how long a listing answers reads: a refresh, not an apply.
	listingKept = 10 * time.Second
)

// Coalesced reads things of one kind: the first few of a parent one by one, and more of them from one listing that all share.
// A write makes the next read ask anew.
type Coalesced[T any] struct {
	list func(ctx context.Context, parent string) ([]T, error)
	one  func(ctx context.Context, parent, key string) (T, error)
	key  func(T) string
	now  func() time.Time

	lock    sync.Mutex
	parents map[string]*shelf[T]
}

// shelf is what is known of a parent.
type shelf[T any] struct {
	reads   int
	since   time.Time
	listing *listing[T]
}

// listing is under way until done is closed.
type listing[T any] struct {
	done  chan struct{}
	byKey map[string]T
	err   error
}

func newCoalesced[T any](
	list func(context.Context, string) ([]T, error),
	one func(context.Context, string, string) (T, error),
	key func(T) string,
) *Coalesced[T] {
	return &Coalesced[T]{list: list, one: one, key: key, now: time.Now, parents: map[string]*shelf[T]{}}
}

// Get is the one with this key; found is false if there is none.
func (c *Coalesced[T]) Get(ctx context.Context, parent, key string) (value T, found bool, err error) {
	for {
		shared, mine := c.enter(parent)
		if shared == nil {
			value, err = c.one(ctx, parent, key)
			if IsGone(err) {
				return value, false, nil
			}
			return value, err == nil, err
		}
		if mine {
			c.fill(ctx, parent, shared)
		}
		select {
		case <-ctx.Done():
			return value, false, ctx.Err()
		case <-shared.done:
		}
		if shared.err != nil && !mine && ctx.Err() == nil {
			// Whoever listed may have run out of its own time; the next one tries for itself.
			continue
		}
		if IsGone(shared.err) {
			return value, false, nil
		}
		value, found = shared.byKey[key]
		return value, found, shared.err
	}
}

// enter is the listing to wait for, and whether the caller is to fill it; nil for one of the first reads.
func (c *Coalesced[T]) enter(parent string) (*listing[T], bool) {
	c.lock.Lock()
	defer c.lock.Unlock()
	now := c.now()
	known := c.parents[parent]
	if known == nil || now.Sub(known.since) > listingKept {
		known = &shelf[T]{since: now}
		c.parents[parent] = known
	}
	if known.listing != nil {
		return known.listing, false
	}
	known.reads++
	if known.reads <= fewReads && c.one != nil {
		return nil, false
	}
	known.since = now
	known.listing = &listing[T]{done: make(chan struct{})}
	return known.listing, true
}

func (c *Coalesced[T]) fill(ctx context.Context, parent string, into *listing[T]) {
	items, err := c.list(ctx, parent)
	into.err = err
	into.byKey = make(map[string]T, len(items))
	for _, item := range items {
		into.byKey[c.key(item)] = item
	}
	if err != nil {
		c.Forget(parent)
	}
	close(into.done)
}

// List is everything of a parent, as it is now.
func (c *Coalesced[T]) List(ctx context.Context, parent string) ([]T, error) {
	return c.list(ctx, parent)
}

// Forget is called after a write: reads that begin from now on ask anew. Those that have begun may see what was before.
func (c *Coalesced[T]) Forget(parent string) {
	c.lock.Lock()
	defer c.lock.Unlock()
	delete(c.parents, parent)
}
