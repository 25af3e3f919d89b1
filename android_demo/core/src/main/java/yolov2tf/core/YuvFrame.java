package yolov2tf.core;

import java.nio.ByteBuffer;

/**
 * A camera frame, YUV 4:2:0, turned upright while it is read.
 *
 * <p>It copies the planes, so the camera gets its buffer back at once, and converts just the pixels
 * that are asked for. Its arrays are reused from frame to frame.
 */
public final class YuvFrame implements Picture {
    private byte[] luma = new byte[0];
    private byte[] blue = new byte[0];
    private byte[] red = new byte[0];
    private int lumaStride;
    private int chromaStride;
    private int chromaStep;
    private int sensorWidth;
    private int sensorHeight;
    private int rotation;

    /**
     * Copies a frame; the parameters are those of Android's {@code Image.getPlanes()}.
     *
     * @param width width of the frame as the sensor sees it
     * @param height likewise
     * @param rotation degrees clockwise that turn it upright: 0, 90, 180 or 270
     * @param y brightness, one byte per pixel
     * @param lumaStride bytes from one row of {@code y} to the next
     * @param u blueness, one value for each 2 × 2 pixels
     * @param v redness, likewise
     * @param chromaStride bytes from one row of {@code u} and {@code v} to the next
     * @param chromaStep bytes from one value to the next; 2 where U and V share a buffer
     */
    public void set(
            int width,
            int height,
            int rotation,
            ByteBuffer y,
            int lumaStride,
            ByteBuffer u,
            ByteBuffer v,
            int chromaStride,
            int chromaStep) {
        if (width < 1 || height < 1 || rotation < 0 || rotation > 270 || rotation % 90 != 0) {
            throw new IllegalArgumentException(
                    "a frame of " + width + "×" + height + " turned by " + rotation);
        }
        sensorWidth = width;
        sensorHeight = height;
        this.rotation = rotation;
        this.lumaStride = lumaStride;
        this.chromaStride = chromaStride;
        this.chromaStep = chromaStep;
        int chromaEnd = (height - 1) / 2 * chromaStride + (width - 1) / 2 * chromaStep + 1;
        luma = copy(y, luma, (height - 1) * lumaStride + width);
        blue = copy(u, blue, chromaEnd);
        red = copy(v, red, chromaEnd);
    }

    @Override
    public int width() {
        return rotation % 180 == 0 ? sensorWidth : sensorHeight;
    }

    @Override
    public int height() {
        return rotation % 180 == 0 ? sensorHeight : sensorWidth;
    }

    @Override
    public void read(int row, int[] columns, float[] rgb) {
        switch (rotation) {
            case 0:
                read(columns, rgb, 0, 1, row, 0);
                break;
            case 90:
                read(columns, rgb, row, 0, sensorHeight - 1, -1);
                break;
            case 180:
                read(columns, rgb, sensorWidth - 1, -1, sensorHeight - 1 - row, 0);
                break;
            default:
                read(columns, rgb, sensorWidth - 1 - row, 0, 0, 1);
        }
    }

    /** Reads along a row or column of the sensor: column c is at (x + c·right, y + c·down). */
    private void read(int[] columns, float[] rgb, int x, int right, int y, int down) {
        byte[] luma = this.luma; // fields would be loaded anew for each pixel
        byte[] blue = this.blue;
        byte[] red = this.red;
        int lumaStride = this.lumaStride;
        int chromaStride = this.chromaStride;
        int chromaStep = this.chromaStep;
        int next = 0;
        for (int column : columns) {
            int sensorX = x + column * right;
            int sensorY = y + column * down;
            int chroma = (sensorY >> 1) * chromaStride + (sensorX >> 1) * chromaStep;
            int brightness = luma[sensorY * lumaStride + sensorX] & 0xFF;
            int u = blue[chroma] & 0xFF;
            int v = red[chroma] & 0xFF;
            rgb[next++] = YuvColor.red(brightness, v);
            rgb[next++] = YuvColor.green(brightness, u, v);
            rgb[next++] = YuvColor.blue(brightness, u);
        }
    }

    private static byte[] copy(ByteBuffer plane, byte[] old, int needed) {
        plane.rewind();
        if (plane.remaining() < needed) {
            throw new IllegalArgumentException(
                    "a plane of " + plane.remaining() + " bytes instead of " + needed);
        }
        byte[] bytes = old.length >= needed ? old : new byte[needed];
        plane.get(bytes, 0, needed);
        return bytes;
    }
}
