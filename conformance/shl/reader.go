// Command reader opens SMART Health Links by Go's standard library alone. It reads a JSON list of what to open from standard
// input, opens one after the other, and writes what came of each.
package main

import (
	"bytes"
	"compress/flate"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
)

type request struct {
	Link      string `json:"link"`
	Recipient string `json:"recipient"`
	Passcode  string `json:"passcode,omitempty"`
	Longest   *int   `json:"embeddedLengthMax,omitempty"`
	// Asks for each location once more.
	Twice bool `json:"twice,omitempty"`
}

type payload struct {
	URL   string `json:"url"`
	Key   string `json:"key"`
	Flag  string `json:"flag"`
	Label string `json:"label"`
}

type file struct {
	ContentType string `json:"contentType"`
	Embedded    string `json:"embedded,omitempty"`
	Location    string `json:"location,omitempty"`
}

type opened struct {
	ContentType string `json:"contentType"`
	SHA256      string `json:"sha256"`
	Embedded    bool   `json:"embedded"`
	// Status of a location that was asked for twice.
	Again int `json:"again,omitempty"`
}

type outcome struct {
	Status     int      `json:"status"`
	Type       string   `json:"type"`
	Remaining  *int     `json:"remainingAttempts,omitempty"`
	RetryAfter string   `json:"retryAfter,omitempty"`
	Label      string   `json:"label,omitempty"`
	Files      []opened `json:"files,omitempty"`
	Error      string   `json:"error,omitempty"`
}

func main() {
	var requests []request
	if err := json.NewDecoder(os.Stdin).Decode(&requests); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	outcomes := make([]outcome, len(requests))
	for i, r := range requests {
		if err := open(r, &outcomes[i]); err != nil {
			outcomes[i].Error = err.Error()
		}
	}
	json.NewEncoder(os.Stdout).Encode(outcomes)
}

func open(r request, out *outcome) error {
	link, key, err := parse(r.Link)
	if err != nil {
		return err
	}
	out.Label = link.Label
	if strings.Contains(link.Flag, "U") {
		return direct(link, key, r, out)
	}
	body, _ := json.Marshal(struct {
		Recipient string `json:"recipient"`
		Passcode  string `json:"passcode,omitempty"`
		Longest   *int   `json:"embeddedLengthMax,omitempty"`
	}{r.Recipient, r.Passcode, r.Longest})
	answer, err := http.Post(link.URL, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	text, err := note(answer, out)
	if err != nil {
		return err
	}
	if answer.StatusCode == http.StatusUnauthorized {
		return json.Unmarshal(text, out)
	}
	if answer.StatusCode != http.StatusOK {
		return nil
	}
	var manifest struct {
		Files []file `json:"files"`
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		return err
	}
	for _, f := range manifest.Files {
		one, err := read(f, key, r)
		if err != nil {
			return err
		}
		out.Files = append(out.Files, one)
	}
	return nil
}

// parse reads a link, with or without the address of a page before it.
func parse(link string) (p payload, key []byte, err error) {
	at := strings.Index(link, "shlink:/")
	if at < 0 {
		return p, nil, errors.New("no shlink:/")
	}
	text, err := base64.RawURLEncoding.DecodeString(link[at+len("shlink:/"):])
	if err != nil {
		return p, nil, err
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return p, nil, err
	}
	key, err = base64.RawURLEncoding.DecodeString(p.Key)
	if err == nil && len(key) != 32 {
		err = errors.New("a key of another length")
	}
	return p, key, err
}

func direct(link payload, key []byte, r request, out *outcome) error {
	answer, err := http.Get(link.URL + "?recipient=" + url.QueryEscape(r.Recipient))
	if err != nil {
		return err
	}
	text, err := note(answer, out)
	if err != nil || answer.StatusCode != http.StatusOK {
		return err
	}
	one, err := decrypt(string(text), "", key)
	if err != nil {
		return err
	}
	out.Files = []opened{one}
	return nil
}

func note(answer *http.Response, out *outcome) ([]byte, error) {
	defer answer.Body.Close()
	out.Status = answer.StatusCode
	out.Type = answer.Header.Get("content-type")
	out.RetryAfter = answer.Header.Get("retry-after")
	return io.ReadAll(answer.Body)
}

func read(f file, key []byte, r request) (opened, error) {
	if f.Embedded != "" {
		if r.Longest != nil && len(f.Embedded) > *r.Longest {
			return opened{}, errors.New("more is embedded than was asked for")
		}
		one, err := decrypt(f.Embedded, f.ContentType, key)
		one.Embedded = true
		return one, err
	}
	var got outcome
	answer, err := http.Get(f.Location)
	if err != nil {
		return opened{}, err
	}
	text, err := note(answer, &got)
	if err != nil {
		return opened{}, err
	}
	if got.Status != http.StatusOK || got.Type != "application/jose" {
		return opened{}, fmt.Errorf("a location answered %d, %s", got.Status, got.Type)
	}
	one, err := decrypt(string(text), f.ContentType, key)
	if err == nil && r.Twice {
		again, failed := http.Get(f.Location)
		if failed != nil {
			return one, failed
		}
		again.Body.Close()
		one.Again = again.StatusCode
	}
	return one, err
}

// decrypt opens a compact JWE of dir and A256GCM (RFC 7516, RFC 7518 section 5.3) and undoes its compression (RFC 1951).
func decrypt(jwe, contentType string, key []byte) (opened, error) {
	parts := strings.Split(jwe, ".")
	if len(parts) != 5 || parts[1] != "" {
		return opened{}, errors.New("no compact JWE of dir")
	}
	var decoded [5][]byte
	for i, part := range parts {
		bytes, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			return opened{}, err
		}
		decoded[i] = bytes
	}
	var header struct{ Alg, Enc, Cty, Zip string }
	if err := json.Unmarshal(decoded[0], &header); err != nil {
		return opened{}, err
	}
	if header.Alg != "dir" || header.Enc != "A256GCM" || (contentType != "" && header.Cty != contentType) {
		return opened{}, fmt.Errorf("a header of another kind: %s", decoded[0])
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return opened{}, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return opened{}, err
	}
	plain, err := gcm.Open(nil, decoded[2], append(decoded[3], decoded[4]...), []byte(parts[0]))
	if err != nil {
		return opened{}, err
	}
	if header.Zip == "DEF" {
		if plain, err = io.ReadAll(flate.NewReader(bytes.NewReader(plain))); err != nil {
			return opened{}, err
		}
	}
	sum := sha256.Sum256(plain)
	return opened{ContentType: header.Cty, SHA256: hex.EncodeToString(sum[:])}, nil
}
