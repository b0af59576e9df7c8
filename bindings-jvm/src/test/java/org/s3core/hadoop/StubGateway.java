package org.s3core.hadoop;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;

/** So much of S3 that files can be read and written, on loopback, with requests that stall when they are told to. */
final class StubGateway implements AutoCloseable {
  private static final Pattern RANGE = Pattern.compile("bytes=(\\d*)-(\\d*)");

  final Map<String, byte[]> objects = new ConcurrentSkipListMap<>();
  /** Requests by method. */
  final Map<String, Integer> requests = new ConcurrentHashMap<>();
  /** The Referer header of every request, or "". */
  final Queue<String> referrers = new ConcurrentLinkedQueue<>();

  private final HttpServer server;
  /** Method whose requests are not answered before {@link #release}. */
  private volatile String stalled = "";
  private final CountDownLatch arrived = new CountDownLatch(1);
  private final CountDownLatch released = new CountDownLatch(1);
  private volatile boolean isClosed;
  /** Requests that are still to be refused. */
  private final AtomicInteger refusals = new AtomicInteger();

  StubGateway() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::handle);
    server.setExecutor(Executors.newCachedThreadPool(task -> {
      Thread thread = new Thread(task, "stub-gateway");
      thread.setDaemon(true);
      return thread;
    }));
    server.start();
  }

  /** From now on requests of this method are not answered. */
  void stall(String method) {
    stalled = method;
  }

  /** Waits until a request has stalled. */
  void awaitStalled() throws InterruptedException {
    arrived.await();
  }

  /** Answers what has stalled, and all that follows. */
  void release() {
    stalled = "";
    released.countDown();
  }

  /** Answers the next request with 503. */
  void refuseOnce() {
    refusals.incrementAndGet();
  }

  /** A configuration with nothing but what a user has to set. */
  Configuration configuration() {
    Configuration conf = new Configuration();
    conf.set("fs.s3a.impl", S3CoreFileSystem.class.getName());
    conf.set("fs.s3a.endpoint", "http://127.0.0.1:" + server.getAddress().getPort());
    conf.set("fs.s3a.access.key", "devkey");
    conf.set("fs.s3a.secret.key", "devsecret");
    return conf;
  }

  @Override
  public void close() {
    isClosed = true;
    released.countDown();
    server.stop(0);
  }

  private void handle(HttpExchange exchange) throws IOException {
    try {
      String method = exchange.getRequestMethod();
      requests.merge(method, 1, Integer::sum);
      String referrer = exchange.getRequestHeaders().getFirst("Referer");
      referrers.add(referrer == null ? "" : referrer);
      byte[] body = readAll(exchange.getRequestBody());
      if (method.equals(stalled)) {
        arrived.countDown();
        released.await();
        if (isClosed) {
          return;
        }
      }
      if (refusals.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
        String error = "<Error><Code>SlowDown</Code></Error>";
        send(exchange, 503, error.getBytes(StandardCharsets.UTF_8), method.equals("HEAD"));
        return;
      }
      answer(exchange, method, body);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      exchange.close();
    }
  }

  private void answer(HttpExchange exchange, String method, byte[] body) throws IOException {
    String path = exchange.getRequestURI().getPath().substring(1);
    int slash = path.indexOf('/');
    String key = slash < 0 ? "" : path.substring(slash + 1);
    if (key.isEmpty() && method.equals("GET")) {
      list(exchange);
    } else if (method.equals("PUT")) {
      objects.put(key, body);
      exchange.getResponseHeaders().set("ETag", etag(body));
      send(exchange, 200, new byte[0], false);
    } else if (method.equals("DELETE")) {
      objects.remove(key);
      send(exchange, 204, new byte[0], false);
    } else if (objects.containsKey(key)) {
      object(exchange, method, objects.get(key));
    } else {
      String error = "<Error><Code>NoSuchKey</Code></Error>";
      send(exchange, 404, error.getBytes(StandardCharsets.UTF_8), method.equals("HEAD"));
    }
  }

  private void object(HttpExchange exchange, String method, byte[] object) throws IOException {
    exchange.getResponseHeaders().set("ETag", etag(object));
    exchange.getResponseHeaders().set("Last-Modified", "Fri, 20 Nov 2026 10:00:00 GMT");
    String range = exchange.getRequestHeaders().getFirst("Range");
    if (range == null) {
      send(exchange, 200, object, method.equals("HEAD"));
      return;
    }
    Matcher matcher = RANGE.matcher(range);
    if (!matcher.matches()) {
      throw new IOException(range);
    }
    int end = object.length;
    int from;
    if (matcher.group(1).isEmpty()) {
      from = Math.max(0, object.length - Integer.parseInt(matcher.group(2)));
    } else {
      from = Integer.parseInt(matcher.group(1));
      end = matcher.group(2).isEmpty() ? end : (int) Math.min(end, Long.parseLong(matcher.group(2)) + 1);
    }
    if (from >= object.length) {
      send(exchange, 416, "<Error><Code>InvalidRange</Code></Error>".getBytes(StandardCharsets.UTF_8), false);
      return;
    }
    exchange.getResponseHeaders().set("Content-Range", "bytes " + from + "-" + (end - 1) + "/" + object.length);
    send(exchange, 206, Arrays.copyOfRange(object, from, end), method.equals("HEAD"));
  }

  /** All keys below the prefix in one page; with a delimiter those of deeper directories as common prefixes. */
  private void list(HttpExchange exchange) throws IOException {
    String query = exchange.getRequestURI().getQuery();
    Matcher prefix = Pattern.compile("(?:^|&)prefix=([^&]*)").matcher(query);
    String wanted = prefix.find() ? prefix.group(1) : "";
    boolean delimited = query.contains("delimiter=/");
    Set<String> directories = new TreeSet<>();
    StringBuilder xml = new StringBuilder("<ListBucketResult><IsTruncated>false</IsTruncated>");
    objects.forEach((key, object) -> {
      int slash = delimited && key.startsWith(wanted) ? key.indexOf('/', wanted.length()) : -1;
      if (slash >= 0) {
        directories.add(key.substring(0, slash + 1));
      } else if (key.startsWith(wanted)) {
        xml.append("<Contents><Key>").append(key).append("</Key><Size>").append(object.length)
            .append("</Size><ETag>").append(etag(object))
            .append("</ETag><LastModified>2026-11-20T10:00:00.000Z</LastModified></Contents>");
      }
    });
    directories.forEach(directory ->
        xml.append("<CommonPrefixes><Prefix>").append(directory).append("</Prefix></CommonPrefixes>"));
    xml.append("</ListBucketResult>");
    send(exchange, 200, xml.toString().getBytes(StandardCharsets.UTF_8), false);
  }

  private static void send(HttpExchange exchange, int status, byte[] body, boolean isHead) throws IOException {
    if (isHead) {
      exchange.getResponseHeaders().set("Content-Length", Integer.toString(body.length));
      exchange.sendResponseHeaders(status, -1);
    } else {
      exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
      exchange.getResponseBody().write(body);
    }
  }

  private static String etag(byte[] object) {
    return String.format("\"%032x\"", Arrays.hashCode(object) & 0xffffffffL);
  }

  private static byte[] readAll(InputStream in) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    byte[] buffer = new byte[8192];
    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
      out.write(buffer, 0, n);
    }
    return out.toByteArray();
  }
}
