// A static Go server: holds BYTES of memory in 4 KiB pages and answers HTTP with how much that is. Has
// threads of the Go runtime's own making, and signal handlers for nearly everything.
//
//	server BYTES    prints the address that it listens on, of its own choosing, when it is ready
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
)

func main() {
	bytes, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	memory, err := syscall.Mmap(-1, 0, bytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		panic(err)
	}
	syscall.Madvise(memory, 15 /* MADV_NOHUGEPAGE */)
	for at := 0; at < bytes; at += 4096 {
		memory[at] = 1
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	http.HandleFunc("/", func(answer http.ResponseWriter, _ *http.Request) { fmt.Fprint(answer, len(memory)) })
	fmt.Println(listener.Addr())
	panic(http.Serve(listener, nil))
}
