package yolov2tf.demo;

import android.graphics.SurfaceTexture;
import android.media.Image;
import android.media.ImageReader;
import android.os.Handler;
import android.view.Surface;
import org.robolectric.annotation.Implementation;
import org.robolectric.annotation.Implements;
import org.robolectric.annotation.RealObject;
import org.robolectric.shadows.ShadowNativeImageReader;

/** Where the camera's frames come from: the test sends them. */
@Implements(ImageReader.class)
public class ReaderShadow extends ShadowNativeImageReader {
    private static volatile ReaderShadow last;

    @RealObject private ImageReader reader;
    private ImageReader.OnImageAvailableListener listener;
    private Handler handler;
    private Image next;

    @Implementation
    protected void setOnImageAvailableListener(
            ImageReader.OnImageAvailableListener given, Handler thread) {
        listener = given;
        handler = thread;
        last = given == null ? last : this;
    }

    @Override
    @Implementation
    protected Surface getSurface() {
        return new Surface(new SurfaceTexture(2));
    }

    /** The native one must not be closed twice, as finalizers do. */
    @Override
    @Implementation
    protected void nativeClose() {}

    @Implementation
    protected Image acquireLatestImage() {
        return next;
    }

    /** A frame of the camera that was opened last, on that camera's thread; none if it is closed. */
    static void send(Image image) {
        ReaderShadow shadow = last;
        Handler thread = shadow.handler;
        ImageReader.OnImageAvailableListener hears = shadow.listener;
        if (thread != null && hears != null) {
            thread.post(() -> {
                shadow.next = image;
                hears.onImageAvailable(shadow.reader);
            });
        }
    }
}
