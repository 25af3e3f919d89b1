package yolov2tf.demo;

import android.graphics.ImageFormat;
import android.graphics.Rect;
import android.media.Image;
import java.nio.ByteBuffer;
import org.json.JSONObject;

/** A camera's frame of a golden case, with its strides and interleaved planes. */
final class Frame extends Image {
    private final JSONObject frame;
    private final Plane[] planes;

    Frame(Golden golden) throws Exception {
        frame = golden.json.getJSONObject("frame");
        int chroma = frame.getInt("chroma_stride");
        int step = frame.getInt("chroma_step");
        planes = new Plane[] {
            new Bytes(golden.bytes("y"), frame.getInt("luma_stride"), 1),
            new Bytes(golden.bytes("u"), chroma, step),
            new Bytes(golden.bytes("v"), chroma, step),
        };
    }

    @Override
    public int getFormat() {
        return ImageFormat.YUV_420_888;
    }

    @Override
    public int getWidth() {
        return frame.optInt("width");
    }

    @Override
    public int getHeight() {
        return frame.optInt("height");
    }

    @Override
    public long getTimestamp() {
        return 0;
    }

    @Override
    public int getTransform() {
        return 0;
    }

    @Override
    public int getScalingMode() {
        return 0;
    }

    @Override
    public Plane[] getPlanes() {
        return planes;
    }

    @Override
    public Rect getCropRect() {
        return new Rect(0, 0, getWidth(), getHeight());
    }

    @Override
    public void close() {}

    private static final class Bytes extends Plane {
        private final ByteBuffer buffer;
        private final int stride;
        private final int step;

        Bytes(byte[] bytes, int stride, int step) {
            buffer = ByteBuffer.allocateDirect(bytes.length);
            buffer.put(bytes).rewind();
            this.stride = stride;
            this.step = step;
        }

        @Override
        public int getRowStride() {
            return stride;
        }

        @Override
        public int getPixelStride() {
            return step;
        }

        @Override
        public ByteBuffer getBuffer() {
            return buffer;
        }
    }
}
