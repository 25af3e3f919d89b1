package yolov2tf.demo;

import static org.robolectric.Shadows.shadowOf;

import android.net.Uri;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.robolectric.RuntimeEnvironment;

/** Another app that hands out a picture: at once, slowly, or not at all. */
final class Provider {
    /** Opens the picture. */
    interface Opening {
        InputStream open() throws Exception;
    }

    private static final AtomicInteger NEXT = new AtomicInteger();

    final Uri uri = Uri.parse("content://pictures/" + NEXT.incrementAndGet());
    final AtomicInteger openings = new AtomicInteger();
    volatile Thread thread; // the one that opened it last

    private Provider(Opening opening) {
        shadowOf(RuntimeEnvironment.getApplication().getContentResolver())
                .registerInputStreamSupplier(uri, () -> {
                    openings.incrementAndGet();
                    thread = Thread.currentThread();
                    try {
                        return opening.open();
                    } catch (Exception error) {
                        throw Provider.<RuntimeException>any(error);
                    }
                });
    }

    static Provider of(byte[] bytes) {
        return new Provider(() -> new ByteArrayInputStream(bytes));
    }

    static Provider of(Opening opening) {
        return new Provider(opening);
    }

    /** Answers after a while, as a cloud does. */
    static Provider slow(byte[] bytes, long millis) {
        return new Provider(() -> {
            Thread.sleep(millis);
            return new ByteArrayInputStream(bytes);
        });
    }

    /** Does not answer before it is told to. */
    static Provider waiting(byte[] bytes, CountDownLatch told) {
        return new Provider(() -> {
            told.await(1, TimeUnit.MINUTES);
            return new ByteArrayInputStream(bytes);
        });
    }

    /** Fails after some bytes. */
    static Provider breaking(byte[] bytes, int after, Throwable reason) {
        return new Provider(() -> new InputStream() {
            private int next;

            @Override
            public int read() throws IOException {
                if (next == after) {
                    throw Provider.<RuntimeException>any(reason);
                }
                return bytes[next++] & 0xFF;
            }
        });
    }

    /** Binder hands exceptions through that nobody declared. */
    @SuppressWarnings("unchecked")
    private static <E extends Throwable> E any(Throwable error) throws E {
        throw (E) error;
    }
}
