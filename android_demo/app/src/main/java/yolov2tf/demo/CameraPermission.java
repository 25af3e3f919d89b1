package yolov2tf.demo;

import android.Manifest;
import android.app.Activity;
import android.content.Intent;
import android.content.pm.PackageManager;
import android.net.Uri;
import android.os.Bundle;
import android.provider.Settings;

/** Whether the camera may be used, and the ways to get there. */
final class CameraPermission {
    private static final String ASKED = "permission.asked";

    private final Activity activity;
    private final int request;
    private boolean asked;
    private boolean waiting; // for the answer
    private boolean dismissed; // the question was closed without an answer

    /**
     * @param request number of the request
     * @param state of the activity before, or null: its question is not asked again
     */
    CameraPermission(Activity activity, int request, Bundle state) {
        this.activity = activity;
        this.request = request;
        asked = state != null && state.getBoolean(ASKED);
    }

    void save(Bundle state) {
        state.putBoolean(ASKED, asked);
    }

    boolean granted() {
        return activity.checkSelfPermission(Manifest.permission.CAMERA)
                == PackageManager.PERMISSION_GRANTED;
    }

    /** Whether people were asked already; by itself the app asks once. */
    boolean asked() {
        return asked;
    }

    /** Whether people were asked, and have not allowed it. */
    boolean refused() {
        return asked && !waiting && !granted();
    }

    /** Asks. Android answers {@code onRequestPermissionsResult}. */
    void ask() {
        asked = true;
        waiting = true;
        activity.requestPermissions(new String[] {Manifest.permission.CAMERA}, request);
    }

    /** Notes an answer; an empty one was none. */
    void answered(int[] answers) {
        waiting = false;
        dismissed = answers.length == 0;
    }

    /** Whether Android would show the question once more; after two refusals it does not. */
    boolean mayAsk() {
        return dismissed
                || activity.shouldShowRequestPermissionRationale(Manifest.permission.CAMERA);
    }

    /** Opens the app's page in Android's settings, where people can allow it. */
    void openSettings() {
        activity.startActivity(new Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS,
                Uri.fromParts("package", activity.getPackageName(), null)));
    }
}
