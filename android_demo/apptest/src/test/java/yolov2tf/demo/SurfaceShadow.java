package yolov2tf.demo;

import android.graphics.Rect;
import android.graphics.SurfaceTexture;
import android.os.Handler;
import android.os.Looper;
import android.view.Surface;
import android.view.SurfaceHolder;
import android.view.SurfaceView;
import org.robolectric.annotation.Implementation;
import org.robolectric.annotation.Implements;
import org.robolectric.shadows.ShadowSurfaceView;

/** A surface that is there, takes the size it is told, and says so. */
@Implements(SurfaceView.class)
public class SurfaceShadow extends ShadowSurfaceView {
    private final Holder holder = new Holder();

    @Override
    @Implementation
    protected SurfaceHolder getHolder() {
        return holder;
    }

    private static final class Holder extends ShadowSurfaceView.FakeSurfaceHolder {
        private final Surface surface = new ValidSurface();
        private int width = 100;
        private int height = 100;

        @Override
        public Surface getSurface() {
            return surface;
        }

        @Override
        public Rect getSurfaceFrame() {
            return new Rect(0, 0, width, height);
        }

        @Override
        public void setFixedSize(int newWidth, int newHeight) {
            width = newWidth;
            height = newHeight;
            new Handler(Looper.getMainLooper()).post(() -> {
                for (SurfaceHolder.Callback callback : getCallbacks()) {
                    callback.surfaceChanged(this, 1, width, height);
                }
            });
        }
    }

    private static final class ValidSurface extends Surface {
        ValidSurface() {
            super(new SurfaceTexture(1));
        }

        @Override
        public boolean isValid() {
            return true;
        }
    }
}
