import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;

/** The JDK's own HTTP server: answers everything that mixed.py asks. */
public class Mixed {
    public static void main(String[] arguments) throws Exception {
        var address = new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0]));
        var server = HttpServer.create(address, 50);
        server.setExecutor(Executors.newFixedThreadPool(8));
        server.createContext("/", exchange -> {
            int length = exchange.getRequestBody().readAllBytes().length;
            String path = exchange.getRequestURI().getPath();
            boolean isStream = path.equals("/stream");
            int status = path.equals("/") || path.startsWith("/items/") || isStream ? 200
                : path.equals("/upload") ? 201
                : path.equals("/cached") ? 304
                : path.equals("/broken") ? 500
                : 404;
            byte[] body = (isStream ? "onetwo" : String.valueOf(length)).getBytes();
            boolean hasBody = status != 304 && !exchange.getRequestMethod().equals("HEAD");
            exchange.sendResponseHeaders(status, !hasBody ? -1 : isStream ? 0 : body.length);
            if (hasBody)
                exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }
}
