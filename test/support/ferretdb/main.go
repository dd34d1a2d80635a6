// Command ferretdb serves MongoDB's wire protocol from a folder of SQLite files, for tests:
//
//	ferretdb 127.0.0.1:27018 /tmp/folder
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"log"
	"net"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

const (
	opMsg      = 2013
	moreToCome = 2 // flag of OP_MSG: no reply follows
)

// What precedes the name of the command in an OP_MSG: header, flags, kind of section, length of the document, type of the element.
const nameOffset = 16 + 4 + 1 + 4 + 1

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: ferretdb ADDRESS FOLDER")
	}
	socket := filepath.Join(os.Args[2], "ferretdb.sock")
	os.Remove(socket) // left behind by kill -9
	// Without the first two, writers in parallel meet SQLITE_BUSY. Tests kill the process, never the machine.
	pragmas := "_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)&_pragma=synchronous(off)"
	folder := url.URL{Scheme: "file", Opaque: os.Args[2] + "/", RawQuery: pragmas}
	database, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{Unix: socket},
		Handler:   "sqlite",
		SQLiteURL: folder.String(),
	})
	if err != nil {
		log.Fatal(err)
	}
	front, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	go accept(front, socket)
	stopped, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := database.Run(stopped); err != nil {
		log.Fatal(err)
	}
}

// FerretDB reads a document, compares it with the filter, and writes it, with nothing between to keep others away: two
// updates that each ask for version 1 both succeed. MongoDB promises that one of them does. So one command at a time, but
// for "hello", by which a driver measures whether the server lives.
var oneCommand sync.Mutex

func accept(front net.Listener, socket string) {
	for {
		driver, err := front.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go forward(driver, socket)
	}
}

func forward(driver net.Conn, socket string) {
	defer driver.Close()
	database, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer database.Close()
	for {
		command, err := message(driver)
		if err != nil {
			return
		}
		reply, err := exchange(database, command)
		if err != nil {
			return
		}
		if _, err := driver.Write(reply); err != nil {
			return
		}
	}
}

func exchange(database net.Conn, command []byte) ([]byte, error) {
	if !bytes.HasPrefix(command[min(nameOffset, len(command)):], []byte("hello\x00")) {
		oneCommand.Lock()
		defer oneCommand.Unlock()
	}
	if _, err := database.Write(command); err != nil {
		return nil, err
	}
	if binary.LittleEndian.Uint32(command[12:]) == opMsg && command[16]&moreToCome != 0 {
		return nil, nil
	}
	return message(database)
}

// message reads one message of the wire protocol: its length, itself included, comes first.
func message(from io.Reader) ([]byte, error) {
	length := make([]byte, 4)
	if _, err := io.ReadFull(from, length); err != nil {
		return nil, err
	}
	octets := binary.LittleEndian.Uint32(length)
	if octets < 20 || octets > 64<<20 {
		return nil, io.ErrUnexpectedEOF
	}
	whole := append(length, make([]byte, octets-4)...)
	_, err := io.ReadFull(from, whole[4:])
	return whole, err
}
