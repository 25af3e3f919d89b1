package yolov2tf.demo;

import android.graphics.ImageFormat;
import android.hardware.camera2.CameraAccessException;
import android.hardware.camera2.CameraCharacteristics;
import android.hardware.camera2.CameraManager;
import android.hardware.camera2.params.StreamConfigurationMap;
import android.util.Size;
import android.view.SurfaceHolder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import yolov2tf.core.FrameSize;
import yolov2tf.core.Orientation;

/** A camera of the device, and the size of the frames that are asked of it. */
final class CameraChoice {
    private static final FrameSize WANTED = new FrameSize(1280, 960);

    final String id;
    final boolean front;
    final FrameSize size;
    private final int sensorOrientation;

    private CameraChoice(String id, boolean front, FrameSize size, int sensorOrientation) {
        this.id = id;
        this.front = front;
        this.size = size;
        this.sensorOrientation = sensorOrientation;
    }

    /** All cameras that can be used, those that look away from the user first. */
    static List<CameraChoice> all(CameraManager manager) throws CameraAccessException {
        List<CameraChoice> choices = new ArrayList<>();
        for (String id : manager.getCameraIdList()) {
            CameraChoice choice = of(id, manager.getCameraCharacteristics(id));
            if (choice != null) {
                choices.add(choice.front ? choices.size() : firstFront(choices), choice);
            }
        }
        return choices;
    }

    /**
     * Degrees clockwise that turn its frames upright.
     *
     * @param display rotation of the screen in degrees
     */
    int rotation(int display) {
        return Orientation.upright(sensorOrientation, display, front);
    }

    private static int firstFront(List<CameraChoice> choices) {
        int index = 0;
        while (index < choices.size() && !choices.get(index).front) {
            index++;
        }
        return index;
    }

    private static CameraChoice of(String id, CameraCharacteristics camera) {
        StreamConfigurationMap streams =
                camera.get(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP);
        Integer orientation = camera.get(CameraCharacteristics.SENSOR_ORIENTATION);
        Integer facing = camera.get(CameraCharacteristics.LENS_FACING);
        if (streams == null || orientation == null) {
            return null; // a depth sensor, say
        }
        FrameSize size = FrameSize.nearest(commonSizes(streams), WANTED);
        boolean front = facing != null && facing == CameraCharacteristics.LENS_FACING_FRONT;
        return size == null ? null : new CameraChoice(id, front, size, orientation);
    }

    /** Sizes that both the preview and the network can have. */
    private static List<FrameSize> commonSizes(StreamConfigurationMap streams) {
        Size[] frames = streams.getOutputSizes(ImageFormat.YUV_420_888);
        Size[] previews = streams.getOutputSizes(SurfaceHolder.class);
        List<FrameSize> common = new ArrayList<>();
        if (frames == null || previews == null) {
            return common;
        }
        Set<Size> shown = new HashSet<>(Arrays.asList(previews));
        for (Size size : frames) {
            if (shown.contains(size)) {
                common.add(new FrameSize(size.getWidth(), size.getHeight()));
            }
        }
        return common;
    }
}
