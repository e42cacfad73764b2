// Command verify judges a transparency log by Go's own implementation of its tree, tiles and notes
// (golang.org/x/mod/sumdb). It reads one JSON document from standard input and writes one verdict a case.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type tile struct {
	Level  int    `json:"level"`
	Index  int64  `json:"index"`
	Hashes []byte `json:"hashes"`
}

// A question is one case; which fields it has depends on its kind.
type question struct {
	Kind  string   `json:"kind"`
	Size  int64    `json:"size"`
	Root  []byte   `json:"root"`
	Index int64    `json:"index"`
	Leaf  []byte   `json:"leaf"`
	Proof [][]byte `json:"proof"`
	From  int64    `json:"from"`
	Begun []byte   `json:"begun"`
	Note  string   `json:"note"`
	Keys  []string `json:"keys"`
	Tiles []tile   `json:"tiles"`
}

func main() {
	var questions []question
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	verdicts := make([]string, len(questions))
	for i, q := range questions {
		if err := judge(q); err != nil {
			verdicts[i] = err.Error()
		}
	}
	json.NewEncoder(os.Stdout).Encode(verdicts)
}

func judge(q question) error {
	switch q.Kind {
	case "inclusion":
		return tlog.CheckRecord(hashes(q.Proof), q.Size, hash(q.Root), q.Index, hash(q.Leaf))
	case "consistency":
		return tlog.CheckTree(hashes(q.Proof), q.Size, hash(q.Root), q.From, hash(q.Begun))
	case "leaf":
		if tlog.RecordHash(q.Root) != hash(q.Leaf) {
			return errors.New("another hash of the leaf")
		}
		return nil
	case "tiles":
		return proveFromTiles(q)
	case "note":
		return open(q)
	}
	return errors.New("no such kind of case: " + q.Kind)
}

// proveFromTiles reads the tiles, which Go holds against the root, and compares its proof with the one given.
func proveFromTiles(q question) error {
	reader := tlog.TileHashReader(tlog.Tree{N: q.Size, Hash: hash(q.Root)}, &tiles{q.Tiles})
	proof, err := tlog.ProveRecord(q.Size, q.Index, reader)
	if err != nil {
		return err
	}
	if len(proof) != len(q.Proof) {
		return errors.New("a proof of another length")
	}
	for i, h := range proof {
		if !bytes.Equal(h[:], q.Proof[i]) {
			return fmt.Errorf("another hash at step %d", i)
		}
	}
	return nil
}

type tiles struct{ all []tile }

func (t *tiles) Height() int { return 8 }

func (t *tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, w := range wanted {
		data, err := t.read(w)
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

func (t *tiles) read(w tlog.Tile) ([]byte, error) {
	for _, one := range t.all {
		if one.Level == w.L && one.Index == w.N && len(one.Hashes) >= w.W*tlog.HashSize {
			return one.Hashes[:w.W*tlog.HashSize], nil
		}
	}
	return nil, fmt.Errorf("no tile %d of level %d", w.N, w.L)
}

// open opens a note with its keys, all of which have to have signed it.
func open(q question) error {
	var verifiers []note.Verifier
	for _, key := range q.Keys {
		verifier, err := note.NewVerifier(key)
		if err != nil {
			verifier, err = newWitness(key)
		}
		if err != nil {
			return err
		}
		verifiers = append(verifiers, verifier)
	}
	opened, err := note.Open([]byte(q.Note), note.VerifierList(verifiers...))
	if err != nil {
		return err
	}
	if len(opened.Sigs) != len(q.Keys) {
		return fmt.Errorf("%d signatures of %d keys", len(opened.Sigs), len(q.Keys))
	}
	return nil
}

// A witness verifies timestamped Ed25519 cosignatures (c2sp.org/tlog-cosignature).
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func newWitness(text string) (note.Verifier, error) {
	parts := bytes.SplitN([]byte(text), []byte("+"), 3)
	if len(parts) != 3 {
		return nil, errors.New("no verifier key")
	}
	var id uint32
	if _, err := fmt.Sscanf(string(parts[1]), "%08x", &id); err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(string(parts[2]))
	if err != nil || len(key) != 1+ed25519.PublicKeySize || key[0] != 4 {
		return nil, errors.New("no key of a witness")
	}
	named := sha256.Sum256(append(append(append([]byte{}, parts[0]...), '\n'), key...))
	if binary.BigEndian.Uint32(named[:]) != id {
		return nil, errors.New("another id than that of the witness's name and key")
	}
	return &witness{string(parts[0]), id, ed25519.PublicKey(key[1:])}, nil
}

func (w *witness) Name() string    { return w.name }
func (w *witness) KeyHash() uint32 { return w.hash }

func (w *witness) Verify(message, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	time := binary.BigEndian.Uint64(signature)
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, message)
	return ed25519.Verify(w.key, []byte(signed), signature[8:])
}

func hash(data []byte) (h tlog.Hash) {
	copy(h[:], data)
	return h
}

func hashes(proof [][]byte) []tlog.Hash {
	var found []tlog.Hash
	for _, data := range proof {
		found = append(found, hash(data))
	}
	return found
}
