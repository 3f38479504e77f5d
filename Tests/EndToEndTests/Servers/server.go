// A plain Go server that says which process answered: on the port in its argument.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/", func(answer http.ResponseWriter, request *http.Request) {
		answer.Header().Set("Connection", "close")
		fmt.Fprintf(answer, "pid %d\n", os.Getpid())
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
